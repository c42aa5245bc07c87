"""Carry out `runbook migrate`: which of its forms was meant."""

import os
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import ExitCode, UsageError
from runbook.model.migration import Concepts

_MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line; `plan` is the file that `--apply` names."""

    kind: str | None
    backup: Path | None
    output: Path | None
    residue: Path | None
    dry_run: bool
    plan_out: Path | None
    plan: Path | None
    concepts: Concepts
    workers: int | None
    max_rate: float | None
    nodes: tuple[str, ...]
    all_nodes: bool
    yes: bool
    reason: str
    target: str | None
    config: Path | None
    progress: str
    as_json: bool

    @property
    def processes(self) -> int:
        """How many processes convert."""
        return self.workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS)


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: what was said does not go together.
        Whatever the form that was meant raises.
    """
    if wishes.kind is None:
        raise UsageError("what shall the data become?", hint="--to single_memory, or --to dual_memory")
    if wishes.all_nodes:
        from runbook.cli.fleet_migrate import migrate_fleet  # noqa: PLC0415 - only this form needs it

        return migrate_fleet(wishes)
    if wishes.output is not None or (wishes.dry_run and wishes.backup is not None):
        from runbook.cli.migrate_offline import convert  # noqa: PLC0415 - only this form needs it

        return convert(wishes)
    from runbook.cli.migrate_online import carry_out as migrate  # noqa: PLC0415 - same

    return migrate(wishes)
