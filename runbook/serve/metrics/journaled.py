"""What the journal says, in numbers: rollouts, runs, validations, backups, and whether it is sound."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from runbook.adapters.journal.following import Follower
from runbook.engine.rollout.gates.kept_backups import kept_of, newest
from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.model.run import RunStatus
from runbook.serve.metrics.sample import Sample

LEVEL = 2
"""A backup counts from this level on, as for the gate of a rollout."""
_READ_SECONDS = 1.0
_MOST_BACKUPS = 5000
_BACKUP_EVENTS = (Event.BACKUP_CREATED, Event.BACKUP_VERIFIED, Event.BACKUP_PRUNED)


class Journaled:
    """Samples out of the followed journal; `targets` are those that are configured."""

    def __init__(self, follower: Follower, targets: Callable[[], Sequence[str]]) -> None:
        self._follower = follower
        self._configured = targets
        self._target_of: dict[str, str] = {}
        self._backups: tuple[object, list[Sample]] = (None, [])

    def soundness(self) -> Iterator[Sample]:
        """How many entries, and is every one as it was written? Nothing before all were read."""
        seen = self._follower.catch_up(_READ_SECONDS)
        if seen.damages:
            yield Sample("journal_sound", (), 0)
        elif seen.complete:
            yield Sample("journal_sound", (), 1)
        if seen.complete:
            yield Sample("journal_entries", (), seen.entries)

    def rollouts(self) -> Iterator[Sample]:
        """Where the newest rollout of each target stands."""
        for target in self._targets():
            ids = self._follower.rollouts(target)
            found = self._follower.rollout(ids[-1]) if ids else None
            under_way = found is not None and not found.standing.is_over
            share = found.current.share if found is not None and under_way else 0.0
            yield Sample("rollout_under_way", (target,), int(under_way))
            yield Sample("rollout_share", (target,), share)
            if found is not None:
                stage = found.current
                labels = (target, found.id, found.plan.name, stage.phase.name, stage.name, found.standing.value)
                yield Sample("rollout_stage_info", labels, 1)

    def runs(self) -> Iterator[Sample]:
        """Runs that somebody has something to do about, for each target."""
        open_runs: Counter[str] = Counter()
        needing: Counter[str] = Counter()
        targets = self._targets()
        unsettled = self._follower.unsettled()
        self._target_of = {run: self._target(run) for run in unsettled}
        for run, status in unsettled.items():
            (needing if status is RunStatus.PERSON_NEEDED else open_runs)[self._target_of[run]] += 1
        for target in sorted({*targets, *open_runs, *needing}):
            yield Sample("runs_open", (target,), open_runs[target])
            yield Sample("runs_needing_a_person", (target,), needing[target])

    def validations(self) -> Iterator[Sample]:
        """The last one of each target."""
        for target in self._targets():
            found = self._follower.last(Event.VALIDATED, target)
            if found is not None and found.entry is not None:
                said = str(found.entry.details.get("recommendation", ""))
                yield Sample("validated_timestamp_seconds", (target, said), found.entry.at.timestamp())

    def backups(self) -> Iterator[Sample]:
        """The newest proven one of each node; reckoned anew when the journal says something new of backups."""
        known = (self._follower.seen.generation, self._targets(), *map(self._follower.count, _BACKUP_EVENTS))
        if known != self._backups[0]:
            self._backups = (known, list(self._proven()))
        yield from self._backups[1]

    def _proven(self) -> Iterator[Sample]:
        found = [each for event in _BACKUP_EVENTS for each in self._follower.newest(_MOST_BACKUPS, event=event)]
        entries = [each.entry for each in sorted(found, key=lambda each: each.seq) if each.entry is not None]
        moments = {entry.seq: entry.at for entry in entries}
        for target in self._targets():
            kept = kept_of(entries, target)
            for node in sorted({each.node for each in kept}):
                best = newest(kept, node, LEVEL)
                if best is not None:
                    at = moments[best.seq].timestamp()
                    yield Sample("backup_verified_timestamp_seconds", (target, node), at)

    def _targets(self) -> tuple[str, ...]:
        """Those of the configuration, as far as it reads, and of the journal; nothing before the journal was read."""
        if not self._follower.seen.complete:
            return ()
        configured: Sequence[str] = ()
        with suppress(RunbookError):  # whether a rollout is watched is told all the same
            configured = self._configured()
        return tuple(sorted({*configured, *self._follower.targets()}))

    def _target(self, run: str) -> str:
        if run in self._target_of:
            return self._target_of[run]
        found = self._follower.run(run)
        return "" if found is None else found.plan.target
