"""Carry out `runbook migrate`: which of its forms was meant."""

from runbook.cli.migrate.wishes import Wishes
from runbook.errors import ExitCode, UsageError


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
    if wishes.output is not None or (wishes.dry_run and wishes.backup is not None):
        from runbook.cli.migrate.offline import convert  # noqa: PLC0415 - only this form needs it

        return convert(wishes)
    from runbook.cli.migrate.online import carry_out as migrate  # noqa: PLC0415 - same

    return migrate(wishes)
