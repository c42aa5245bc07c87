"""Which rollout is meant; apart from what acts on it, which those who only look need not load."""

from dataclasses import dataclass
from pathlib import Path

from runbook.cli.compose import Session
from runbook.engine.rollout.state import current_of, newest_of
from runbook.errors import RefusedError
from runbook.model.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Where:
    """Which target, and how it is told."""

    target: str | None
    config: Path | None
    as_json: bool


def going(current: Session, target: str) -> Rollout:
    """The target's rollout that is not over.

    Raises:
        RefusedError: there is none.
        DamagedError: the journal does not read.
    """
    journal = current.journal
    entries = [*journal.entries(), *journal.waiting()]  # what a rollback could not journal waits in the second place
    found = current_of(entries, target)
    if found is not None:
        return found
    last = newest_of(entries, target)
    told = "there never was one" if last is None else f"the last one, {last.id}, is {last.standing.value}: {last.why}"
    raise RefusedError(f"no rollout of {target} is under way; {told}", hint="runbook rollout start")
