"""Options that many commands share, with one wording, and the list of exit codes at the end of each help."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from runbook.cli.completions import complete_nodes
from runbook.errors import MEANINGS, ExitCode, UsageError
from runbook.model.duration import duration, in_words
from runbook.model.risk import Risk

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Duration(click.ParamType[timedelta]):
    """`30s`, `10m`, `1h30m`."""

    name = "duration"

    def __init__(self, shortest: timedelta = timedelta(0)) -> None:
        self.shortest = shortest

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length of time, or a usage error."""
        if isinstance(value, timedelta):
            return value
        try:
            length = duration(value)
        except UsageError as error:
            self.fail(error.message, param, ctx)
        if length < self.shortest:
            self.fail(f"{value} is too short to tell anything: at least {in_words(self.shortest)}", param, ctx)
        return length


def config_option(command: Decorated) -> Decorated:
    """`--config`; whether the file can be read is for the reader to say, who says it of every file alike."""
    path = click.Path(path_type=Path, dir_okay=False, readable=False)
    return click.option("--config", type=path, help="The configuration file (or RUNBOOK_CONFIG).")(command)


def _targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from runbook.cli.completions import complete_targets  # noqa: PLC0415 - only the shell asks

    return complete_targets(ctx, param, incomplete)


def target_options(command: Decorated) -> Decorated:
    """`--target` and `--config`."""
    what = "The fleet to work on (or RUNBOOK_TARGET)."
    named = click.option("--target", "-t", metavar="NAME", shell_complete=_targets, help=what)
    return named(config_option(command))


def json_option(command: Decorated) -> Decorated:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document (schema report.v1).")(command)


def identity_option(command: Decorated) -> Decorated:
    """`--identity`, as often as needed."""
    kind = click.Path(path_type=Path, dir_okay=False)
    what = "What opens an encrypted backup, as age-keygen wrote it (chmod 600)."
    return click.option("--identity", "identities", type=kind, multiple=True, metavar="FILE", help=what)(command)


def progress_option(command: Decorated) -> Decorated:
    """`--progress`, for commands that move data."""
    return click.option(
        "--progress",
        type=click.Choice(["auto", "json", "none"]),
        default="auto",
        show_default=True,
        help="On stderr: a bar where it is a terminal; JSON lines; nothing.",
    )(command)


def window_option(command: Decorated) -> Decorated:
    """`--window`."""
    return click.option(
        "--window",
        type=Duration(shortest=timedelta(seconds=1)),
        metavar="DURATION",
        help="How long to measure where nodes are scraped [10s]; how far to look back in Prometheus [5m].",
    )(command)


def readable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The callback of an option whose text is kept: bytes that are no text become a replacement character."""
    del ctx, param
    return None if value is None else value.encode(errors="surrogateescape").decode(errors="replace")


def change_options(command: Decorated) -> Decorated:
    """`--yes` and `--reason`."""
    said = click.option("--yes", "-y", is_flag=True, help="Do not ask; for automation.")
    why = click.option("--reason", default="", metavar="TEXT", callback=readable, help="Why; kept in the journal.")
    return said(why(command))


def narrowing_options(command: Decorated) -> Decorated:
    """`--node`, as often as needed, and `--max-risk`: what a run leaves alone."""
    node = click.option(
        "--node",
        "nodes",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_nodes,
        help="Change this node only; once for each of several.",
    )
    risk = click.option(
        "--max-risk",
        type=click.Choice([each.name.lower() for each in Risk]),
        callback=lambda _, __, word: None if word is None else Risk[word.upper()],
        help="Leave out the steps of a higher risk.",
    )
    return node(risk(command))


def ends_with(*codes: ExitCode) -> str:
    """The epilog of a command: the exit codes that it can return, one a line."""
    everywhere = (ExitCode.BUG, ExitCode.USAGE)
    rows = [f"  {int(code):<4} {MEANINGS[code]}" for code in sorted({*codes, *everywhere})]
    return "\b\nExit codes:\n" + "\n".join(rows)


OWN_CODES = "Exit codes: each command's own stand at the end of its --help."
"""The epilog of a group of commands."""
