"""What Prometheus, Alertmanager and Grafana load: alert rules, their tests, dashboards; for a plan of one's own too."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from runbook.cli.options import OWN_CODES, Duration, ends_with, json_option, target_options
from runbook.cli.rollout.plans import complete_plans
from runbook.errors import ExitCode


@click.group("monitoring", epilog=OWN_CODES)
def command() -> None:
    """Write what Prometheus, Alertmanager and Grafana load: alerts that carry their command, tests, dashboards.

    All of it is made of the very data that the commands ask: the known issues, the rollout plan, the metrics.
    """


@command.command(
    "write",
    epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.DAMAGED, ExitCode.STORAGE, ExitCode.NOT_SUPPORTED),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--plan",
    multiple=True,
    default=["dual-memory"],
    show_default=True,
    metavar="FILE|NAME",
    shell_complete=complete_plans,
    help="Whose triggers, tripwire and gates are alerted of; may be given more than once.",
)
@click.option("--under-way", is_flag=True, help="Those of the rollouts that are under way, too, by the journal.")
@click.option(
    "--scrape-interval",
    type=Duration(timedelta(seconds=1)),
    default="15s",
    show_default=True,
    metavar="DURATION",
    help="How often Prometheus scrapes: no window holds fewer than four.",
)
@click.option(
    "--docs",
    default="docs/",
    show_default=True,
    metavar="URL",
    help="What the address of a page begins with, in an alert.",
)
@click.option("--check", is_flag=True, help="Write nothing: say whether the files are in step (else 3).")
@json_option
@click.pass_context
def write(ctx: click.Context, /, *, folder: Path, **said: Any) -> None:
    """Write rules, their promtool tests, dashboards and examples of configurations into FOLDER.

    Each plan has its own limits, which are asked of the targets that are rolled out by it; what the first one says in
    every phase is asked of targets without a rollout, too.

    What is in step is not touched; each other file is replaced whole. The examples `prometheus.yml` and
    `alertmanager.yml` are yours from then on: they are not written again.
    """
    from runbook.cli.monitoring import Wishes, write_files

    ctx.exit(write_files(folder, Wishes(**said)))


@command.command("scrape", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.NOT_SUPPORTED))
@target_options
@json_option
@click.pass_context
def scrape(ctx: click.Context, *, target: str | None, config: Path | None, as_json: bool) -> None:
    """Print the nodes of a target as a file for Prometheus' `file_sd_configs`, with the labels of the alerts.

    Alerts carry `target` and `node` from there into the command that they name. Nothing is asked of any node.
    """
    from runbook.cli.monitoring import tell_scrape

    ctx.exit(tell_scrape(target, config, as_json=as_json))
