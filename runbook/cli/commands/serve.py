"""Serve a read-only console, metrics for Prometheus, and a webhook for Alertmanager."""

from typing import Any

import click

from runbook.cli.options import config_option, ends_with, json_option
from runbook.errors import ExitCode


@click.command(
    "serve",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.UNREACHABLE,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Where to listen; 0 is any free one [8787]."
)
@click.option("--host", metavar="ADDRESS", help="The address to listen on [127.0.0.1].")
@click.option("--console/--no-console", default=True, help="With or without the pages for people.", show_default=True)
@config_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Serve until Ctrl-C (130) or SIGTERM (143): a console, metrics for Prometheus, a webhook for Alertmanager.

    What the webhook is told is diagnosed and journaled. Nothing is changed, but where `[targets.NAME.automatic]` of
    the configuration lets an alert act by itself. Without `[serve] webhook_token_file` the webhook takes nothing.
    """
    from runbook.cli.serve import Wishes, serve_until_told

    ctx.exit(serve_until_told(Wishes(**said)))
