"""What only people know, as options: `--complaints N`, made from the symptoms that ask for it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from runbook.model.quantity import Reported
from runbook.model.runbook import Runbook

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def reported_options(runbooks: Iterable[Runbook]) -> Callable[[Decorated], Decorated]:
    """An option for each number that a symptom of these issues asks a person for."""

    def decorate(command: Decorated) -> Decorated:
        for asked in _asked(runbooks):
            option = click.option(
                f"--{asked.name}",
                type=click.IntRange(min=0),
                metavar="N",
                help=f"How many {asked.unit} there are: only you can know. Without it that is UNKNOWN.",
            )
            command = option(command)
        return command

    return decorate


def said_by_person(runbooks: Iterable[Runbook], given: dict[str, Any]) -> dict[str, int]:
    """Take these options out of `given`; those that were said, by name."""
    said = {asked.name: given.pop(asked.name) for asked in _asked(runbooks)}
    return {name: value for name, value in said.items() if value is not None}


def _asked(runbooks: Iterable[Runbook]) -> tuple[Reported, ...]:
    conditions = (symptom.condition for runbook in runbooks for symptom in runbook.symptoms)
    return tuple(dict.fromkeys(condition for condition in conditions if isinstance(condition, Reported)))
