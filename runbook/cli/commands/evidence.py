"""Show and prove the evidence of a rollout: a folder that needs neither the fleet nor this machine."""

from pathlib import Path

import click

from runbook.cli.options import OWN_CODES, ends_with, json_option
from runbook.errors import ExitCode, UsageError


def _named(ctx: click.Context, parameter: click.Parameter, value: str) -> Path:
    """What `runs --last --evidence` says where there is none is nothing, and nothing is not the current folder."""
    del ctx, parameter
    if not value:
        raise UsageError("no bundle of evidence is named", hint="runbook runs --last --evidence")
    return Path(value)


_BUNDLE = click.argument("bundle", type=click.Path(), callback=_named)
_ANY = (ExitCode.DONE, ExitCode.DAMAGED, ExitCode.STORAGE, ExitCode.NOT_SUPPORTED)


@click.group("evidence", epilog=OWN_CODES)
def command() -> None:
    """Show and prove the evidence of a rollout: a folder that needs neither the fleet nor this machine.

    A bundle is written at the end of every phase and at every rollback; the newest one is named by
    `runbook runs --last --evidence`.
    """


@command.command("show", epilog=ends_with(*_ANY))
@_BUNDLE
@json_option
@click.pass_context
def show(ctx: click.Context, *, bundle: Path, as_json: bool) -> None:
    """Print what is in a bundle: the rollout, its looks and their verdicts, approvals, backups, the self-test.

    Every byte is held against the manifest first.
    """
    from runbook.cli.evidence import show_bundle

    ctx.exit(show_bundle(bundle, as_json=as_json))


@command.command(
    "verify", epilog=ends_with(*_ANY[:1], ExitCode.BAD_NEWS, ExitCode.COULD_NOT_TELL, *_ANY[1:], ExitCode.LOCKED)
)
@_BUNDLE
@click.option("--journal", is_flag=True, help="Hold it against this machine's journal, too.")
@json_option
@click.pass_context
def verify(ctx: click.Context, *, bundle: Path, journal: bool, as_json: bool) -> None:
    """Prove a bundle: every byte, the chain of the journal's lines, plan, approvals; and every verdict once more.

    The verdicts are come to again from the plan and the rows, by the judge itself. A bundle that is not as it was
    written is 12; one whose rows give another verdict is 3; 4 where a node told more of a look's time after it.
    """
    from runbook.cli.evidence import verify_bundle

    ctx.exit(verify_bundle(bundle, journal=journal, as_json=as_json))
