"""What the state folder says beside the journal, in numbers: signs of life of the watch, baselines, messages."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.errors import RunbookError
from runbook.model.notification import Cursor
from runbook.ports import Clock, Store
from runbook.ports.notify import Cursors
from runbook.serve.metrics.sample import Sample

OLDEST = timedelta(seconds=60)
"""How long a baseline, and the addresses of its nodes, are told again without looking at them."""


def watches(heartbeats: FileHeartbeats) -> Iterator[Sample]:
    """When each watch was last heard of, how often it means to be, and whom it did not hear at the last look.

    One that does not read is left out.
    """
    for target in heartbeats.targets():
        with suppress(RunbookError):
            sign = heartbeats.last(target)
            if sign is not None:
                yield Sample("watch_seen_timestamp_seconds", (target,), sign.seen.timestamp())
                yield Sample("watch_interval_seconds", (target,), sign.every.total_seconds())
                yield from (Sample("watch_silent", (target, host), 1) for host in sign.silent)


class Baselines:
    """The recorded baselines; `addresses` gives the host and port of each node of a target, by name.

    While configuration, inventory or baseline do not read, what was told before is told.
    """

    def __init__(
        self,
        store: Store,
        targets: Callable[[], Sequence[str]],
        addresses: Callable[[str], dict[str, str]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._targets = targets
        self._addresses = addresses
        self._clock = clock
        self._looked = -math.inf
        self._told: dict[str, list[Sample]] = {}

    def samples(self) -> Iterator[Sample]:
        """Each quantity of each node that is in the inventory still."""
        now = self._clock.monotonic()
        if now - self._looked >= OLDEST.total_seconds():
            self._looked = now
            with suppress(RunbookError):
                self._told = {target: self._of(target) for target in self._targets()}
        return (each for told in self._told.values() for each in told)

    def _of(self, target: str) -> list[Sample]:
        try:
            baseline = self._store.load_baseline(target)
            addresses = self._addresses(target) if baseline is not None else {}
        except RunbookError:
            return self._told.get(target, [])
        return [
            Sample("baseline", (target, node, addresses[node], quantity), value)
            for node, kept in sorted(baseline.nodes.items() if baseline is not None else ())
            if node in addresses
            for quantity, value in kept.quantities.items()
        ]


def notifications(cursors: Cursors, receivers: Sequence[str]) -> Iterator[Sample]:
    """How many messages each receiver took, how many were given up, and how many left out as too many waited.

    Since it was first told anything.
    """
    for name in receivers:
        found = cursors.load(name)
        if isinstance(found, Cursor):
            yield Sample("notifications_total", (name, "delivered"), found.sent)
            yield Sample("notifications_total", (name, "given up"), found.given_up)
            yield Sample("notifications_total", (name, "left out"), found.left_out)
