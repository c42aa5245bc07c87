"""What was said on the command line of `runbook migrate`."""

import os
from dataclasses import dataclass
from pathlib import Path

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
