"""Check that the documents name only what exists: commands, settings, metrics, endpoints, files."""

from pathlib import Path

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "check",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.BAD_NEWS,
        ExitCode.COULD_NOT_TELL,
        ExitCode.UNREACHABLE,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.NOT_SUPPORTED,
    ),
)
@click.option(
    "--document",
    "documents",
    type=click.Path(path_type=Path, readable=False),
    multiple=True,
    metavar="FILE",
    help="Check this runbook in Markdown instead of the project's own documents; may be repeated.",
)
@target_options
@json_option
@click.pass_context
def command(
    ctx: click.Context, *, documents: tuple[Path, ...], target: str | None, config: Path | None, as_json: bool
) -> None:
    """Resolve every name that the documents, the playbooks and the issues say, and list what does not exist.

    With --target also ask each node whether it has what they rely on. Nothing is changed by asking.
    """
    from runbook.cli.check import check

    ctx.exit(check(documents, target, config, as_json=as_json))
