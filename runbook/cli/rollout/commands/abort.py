"""Take the rollout back: flags off, the share to nothing."""

from typing import Any

import click

from runbook.cli.options import change_options, ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "abort",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.PARTIAL,
        ExitCode.UNREACHABLE,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
)
@change_options
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, yes: bool, reason: str, **said: Any) -> None:
    """Take the rollout back, from wherever it stands: flags off by the emergency brake, then the share to nothing.

    It waits for no lock, approval, freeze window or gate, and works while Ansible or the journal's disk are broken.
    Cut off, it is given again. Who watches the rollout notices, and ends.
    """
    from runbook.cli.rollout.act import Consent, take_back
    from runbook.cli.rollout.where import Where

    ctx.exit(take_back(Where(**said), Consent(yes, reason)))
