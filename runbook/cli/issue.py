"""The command of a known issue, made from its data; what it does stands in `incident.py`, imported when called."""

import pkgutil
from datetime import timedelta
from importlib import import_module
from typing import Any

import click

import runbook.issues
from runbook.cli.options import (
    Duration,
    change_options,
    ends_with,
    json_option,
    narrowing_options,
    target_options,
    window_option,
)
from runbook.cli.reported import reported_options, said_by_person
from runbook.errors import ExitCode
from runbook.model.runbook import Runbook

# A third of the watch must hold: less than this and there are too few samples for a slope.
SHORTEST_WATCH = timedelta(seconds=10)


def issue_of(name: str) -> Runbook:
    """The runbook in the file of that name in `issues/`."""
    found: Runbook = import_module(f"runbook.issues.{name}").RUNBOOK
    return found


def known_issues() -> tuple[Runbook, ...]:
    """Every file of `issues/`."""
    return tuple(issue_of(module.name) for module in pkgutil.iter_modules(runbook.issues.__path__))


def command_of(name: str) -> click.Command:
    """The Click command of the issue in the file of that name."""
    issue = issue_of(name)

    @click.command(
        issue.slug,
        help=f"{issue.title}: {issue.why}\n\nWithout --act this changes nothing, anywhere.",
        epilog=ends_with(
            ExitCode.DONE,
            ExitCode.BAD_NEWS,
            ExitCode.COULD_NOT_TELL,
            ExitCode.PARTIAL,
            ExitCode.UNREACHABLE,
            ExitCode.LOCKED,
            ExitCode.DAMAGED,
            ExitCode.REFUSED,
            ExitCode.STEP_FAILED,
            ExitCode.PERSON_NEEDED,
            ExitCode.STORAGE,
            ExitCode.NOT_SUPPORTED,
            ExitCode.INTERRUPTED,
            ExitCode.TERMINATED,
        ),
    )
    @click.option("--act", is_flag=True, help="Take the steps of the plan, then watch until it has recovered.")
    @click.option("--allow-disruptive", is_flag=True, help="With --act: take the emergency steps if the others fail.")
    @narrowing_options
    @reported_options([issue])
    @click.option(
        "--watch",
        type=Duration(shortest=SHORTEST_WATCH),
        default=issue.verify.watch,
        metavar="DURATION",
        help=f"How long to watch after acting.  [default: {issue.verify.watch.total_seconds() / 60:g}m]",
    )
    @change_options
    @window_option
    @target_options
    @json_option
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.incident import Wishes, carry_out

        reported = said_by_person([issue], said)
        ctx.exit(carry_out(issue, Wishes(**said, said=reported)))

    return command
