"""Options that many commands share, with one wording, and the list of exit codes at the end of each help."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from runbook.errors import MEANINGS, ExitCode, UsageError
from runbook.model.duration import duration

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Duration(click.ParamType[timedelta]):
    """`30s`, `10m`, `1h30m`."""

    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length of time, or a usage error."""
        if isinstance(value, timedelta):
            return value
        try:
            return duration(value)
        except UsageError as error:
            self.fail(error.message, param, ctx)


def target_options(command: Decorated) -> Decorated:
    """`--target` and `--config`."""
    named = click.option("--target", "-t", metavar="NAME", help="The fleet to work on (or RUNBOOK_TARGET).")
    configured = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The configuration file (or RUNBOOK_CONFIG).",
    )
    return named(configured(command))


def json_option(command: Decorated) -> Decorated:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document (schema report.v1).")(command)


def window_option(default: str = "10s") -> Callable[[Decorated], Decorated]:
    """`--window`."""
    return click.option(
        "--window",
        type=Duration(),
        default=default,
        show_default=True,
        help="How long to measure when the nodes are scraped; how far to look back in Prometheus.",
    )


def change_options(command: Decorated) -> Decorated:
    """`--yes` and `--reason`."""
    said = click.option("--yes", "-y", is_flag=True, help="Do not ask; for automation.")
    why = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the journal.")
    return said(why(command))


def ends_with(*codes: ExitCode) -> str:
    """The epilog of a command: the exit codes that it can return, one a line."""
    everywhere = (ExitCode.BUG, ExitCode.USAGE)
    rows = [f"  {int(code):<4} {MEANINGS[code]}" for code in sorted({*codes, *everywhere})]
    return "\b\nExit codes:\n" + "\n".join(rows)
