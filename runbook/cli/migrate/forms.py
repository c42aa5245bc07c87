"""Carry out `runbook migrate`: which of its forms was meant."""

import os

from runbook.cli.migrate.wishes import Wishes
from runbook.cli.signals import way_on
from runbook.errors import ExitCode, UsageError

AGAIN = "give the same command again"


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: what was said does not go together.
        Whatever the form that was meant raises.
    """
    if wishes.kind is None:
        raise UsageError("what shall the data become?", hint="--to single_memory, or --to dual_memory")
    if wishes.all_nodes:
        from runbook.cli.fleet.migrate import migrate_fleet  # noqa: PLC0415 - only this form needs it

        return migrate_fleet(wishes)
    if wishes.backup is not None and str(wishes.backup) != "-" and not os.path.lexists(wishes.backup):
        raise UsageError(f"there is no {wishes.backup}", hint="an export, a backup's folder, or - for standard input")
    if wishes.output is not None or (wishes.dry_run and wishes.backup is not None):
        from runbook.cli.migrate.offline import convert  # noqa: PLC0415 - only this form needs it

        with way_on("no node was touched", AGAIN):
            return convert(wishes)
    from runbook.cli.migrate.online import carry_out as migrate  # noqa: PLC0415 - same

    with way_on("no migration of a node was under way", AGAIN):  # one that was says so itself
        return migrate(wishes)
