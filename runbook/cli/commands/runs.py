"""List the runs of the journal: what was done, by whom, how it ended."""

import click

from runbook.cli.options import ends_with, json_option
from runbook.errors import ExitCode


@click.command("runs", epilog=ends_with(ExitCode.DONE, ExitCode.COULD_NOT_TELL, ExitCode.DAMAGED))
@click.option("--last", is_flag=True, help="Only the newest run.")
@click.option("--id", "only_id", is_flag=True, help="Print ids only, for scripts.")
@click.option(
    "--evidence", is_flag=True, help="The folders of the bundles of evidence instead; with --last the newest."
)
@json_option
@click.pass_context
def command(ctx: click.Context, *, last: bool, only_id: bool, evidence: bool, as_json: bool) -> None:
    """List the runs of the journal, oldest first."""
    if evidence:
        from runbook.cli.evidence import list_bundles

        ctx.exit(list_bundles(last=last, as_json=as_json))
    from runbook.cli.runs import list_runs

    ctx.exit(list_runs(last=last, only_id=only_id, as_json=as_json))
