"""Ports for what asks nodes, changes their settings, and keeps record of it.

Each port: who calls it, what it may raise. Nothing here returns a half answer: what did not answer comes back as
`Silence`, with a reason, and never hides the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from runbook.model.concept import NodeConcepts
    from runbook.model.journal import Entry, Event, JournalState
    from runbook.model.measurement import Baseline, NodeSettings, Samples
    from runbook.model.play import Collected, CollectRequest, HostResult, PlayRequest, PlayResult, TogetherRequest
    from runbook.model.target import Node, Target


class Clock(Protocol):
    """Time. Wall time is for people only; every decision uses `monotonic`."""

    def now(self) -> datetime:
        """The wall time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class Probes(Protocol):
    """Metrics of a fleet. A scraper collects while it is watched; a time-series database looks back."""

    source: str
    """Names the source in findings: `scrape` or the URL of the database."""

    looks_back: bool
    """Does `samples` know the past without `observe` having been called?"""

    usual_window: timedelta
    """How long a window must be to hold enough samples, where nobody asked for another."""

    def observe(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        """Read every node once and remember what was read (nothing to do for a source that looks back).

        A node that does not answer is remembered as silent; nothing is raised for it.
        """
        ...

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        """What is known of the last `window`: every node by name, with its samples or its silence.

        Raises:
            UnreachableError: the source itself (not a node) cannot be reached.
        """
        ...


class Nodes(Protocol):
    """The admin side of the nodes, reading and leasing only: changes go through plays."""

    def settings(self, nodes: Sequence[Node]) -> NodeSettings:
        """Features and configuration of every node by name, what each splitter splits by, or its silence."""
        ...

    def concepts(self, nodes: Sequence[Node], since: datetime, most: int) -> NodeConcepts:
        """The newest concepts formed since then, at most that many of every node by name, or its silence."""
        ...

    def lease(
        self, nodes: Sequence[Node], holder: str, run: str, ttl: timedelta
    ) -> AbstractContextManager[Callable[[], str]]:
        """Hold a lease of this run on each node while the context lasts, renewed as needed.

        What the context gives tells which lease was lost to another run meanwhile, and to whom; else nothing.
        Nodes that know no leases, and nodes that do not answer, are passed over: the play will report the latter.

        Raises:
            LockedError: another run holds one; those taken so far are given back.
        """
        ...


class Plays(Protocol):
    """Ansible: the only thing that changes settings, and what reads on the hosts themselves."""

    def ready(self) -> None:
        """Look whether plays can be run at all, before a run begins; cheap, and nothing is touched.

        Raises:
            NotSupportedError: Ansible is missing.
            UsageError: the inventory cannot be read.
        """
        ...

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        """Run one playbook; every requested host is in the result.

        Raises:
            NotSupportedError: Ansible or the playbook is missing or broken; nothing was touched.
            InterruptedRunError: cancelled half-way; read the nodes to learn what took effect.
        """
        ...

    def run_together(
        self, request: TogetherRequest, progress: Callable[[str], None]
    ) -> Mapping[str, tuple[HostResult, ...]]:
        """Run one playbook that sets several settings at once; every requested host is in the result of its settings.

        A host that failed did so in all of them: the play has one word for it.

        Raises:
            NotSupportedError, InterruptedRunError: as `run`.
        """
        ...

    def collect(self, request: CollectRequest, progress: Callable[[str], None]) -> tuple[Collected, ...]:
        """Run one playbook that changes nothing; every requested host once, in their order.

        Raises:
            UsageError: the inventory cannot be read, or does not have one of the hosts.
            NotSupportedError: Ansible or the playbook is missing or broken.
            InterruptedRunError: cancelled; nothing was changed.
        """
        ...

    def stop_orphans(self, mark: str) -> int:
        """End every process of the play with that mark, and wait until they are gone; how many there were."""
        ...

    def end(self, mark: str) -> int:
        """The same for a play that another process is in the middle of: what that one still reads stays."""
        ...


class Journal(Protocol):
    """The append-only record under everything."""

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """Make the entry durable before returning.

        Raises:
            StorageError: it could not be written; then nothing may be changed.
            DamagedError: the journal's end is not as it was left.
        """
        ...

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first.

        Raises:
            DamagedError: a line does not read; file, line and byte are named.
        """
        ...

    def fresh(self) -> Iterator[Entry]:
        """Entries that were not handed out here before, oldest first; then what waits in the second place, every time.

        Raises:
            DamagedError: as for `entries`.
        """
        ...

    def rescue(self, event: Event, run: str, details: Mapping[str, Any], why: str) -> str:
        """Keep an entry that the journal refused in its second place; where that is. The next append adopts it.

        Raises:
            StorageError: no second place takes it either.
        """
        ...

    def waiting(self) -> Iterator[Entry]:
        """What waits in the second place, oldest first."""
        ...

    def verify(self) -> JournalState:
        """Check every line, the chain and the sealed head."""
        ...


class Store(Protocol):
    """Documents that the tool keeps between runs."""

    def save_baseline(self, baseline: Baseline) -> str:
        """Keep it as the target's baseline; where it is kept.

        Raises:
            StorageError: the disk refused.
        """
        ...

    def load_baseline(self, target: str) -> Baseline | None:
        """The target's baseline, or None where none was ever captured.

        Raises:
            DamagedError: it does not fit its schema.
        """
        ...


class Locks(Protocol):
    """One changing step per target on this machine."""

    def hold(self, name: str, run: str) -> AbstractContextManager[None]:
        """Hold the lock while the context lasts; it falls with the process.

        Raises:
            LockedError: another process holds it; the message names it.
            StorageError: the state folder cannot be written.
        """
        ...


class Talk(Protocol):
    """What is said to the person while something goes on; never the product."""

    def say(self, text: str) -> None:
        """One line."""
        ...

    def progress(self, label: str, done: float, total: float) -> None:
        """How far it is, in seconds; `done == total` ends it."""
        ...


class Questions(Protocol):
    """Asking the person for a yes."""

    def confirm(self, question: str) -> bool:
        """Did the person say yes? Without a terminal the answer is no."""
        ...


class ScratchFleet(Protocol):
    """A fleet of real nodes that is there for one rehearsal only; whoever started it ends it."""

    @property
    def target(self) -> Target:
        """Its nodes, as any other target's."""
        ...

    def inject(self, fault: str, nodes: Sequence[Node]) -> None:
        """Break the nodes; returns at once, not when the symptom shows.

        Raises:
            UsageError: the nodes know no such fault.
            UnreachableError: a node does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadPorts:
    """What a use case that only reads is given: nothing in it can change a node."""

    probes: Probes
    nodes: Nodes
    clock: Clock
    talk: Talk


@dataclass(frozen=True, slots=True)
class ChangePorts:
    """What a use case that changes something is given beside the reading ports."""

    read: ReadPorts
    plays: Plays
    journal: Journal
    locks: Locks
