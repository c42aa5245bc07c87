"""A rollout in memory that was judged twice, and the bundle of evidence that is made of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cells_scene as scene

from runbook.adapters.journal.slice import follow
from runbook.adapters.memory.cells import MemoryCellStore
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.adapters.memory.probes import MemoryProbes
from runbook.adapters.memory.shelf import MemoryShelf
from runbook.engine.judging.judgement import judge_stage, rows_needed
from runbook.engine.proof.verify import prove
from runbook.engine.proof.write import Lines, Sources, write_bundle
from runbook.engine.rollout import record
from runbook.engine.rollout.basis import basis_from
from runbook.engine.rollout.state import details_of, digest_of, rollouts_of
from runbook.model.bundle import JOURNAL, Proven
from runbook.model.cells import NodeCells
from runbook.model.journal import Event
from runbook.model.rollout import Rollout
from runbook.model.target import Node, Target
from runbook.ports import EvidenceShelf, ReadPorts

ROLLOUT = "20261102T090000-aaaa"
RATE = "dual_memory.treatment_rate"
SECRET = "Bearer abcdefghijklmnop"  # noqa: S105 - nobody's


class Silent:
    """Nobody listens."""

    def say(self, text: str) -> None:
        """Nothing."""


class Scene:
    """The rollout of `cells_scene`, journaled, with rows; `look` takes a planned look as the watcher does."""

    def __init__(self, traffic: scene.Traffic | None = None) -> None:
        self.clock = MemoryClock(scene.moment(9_990))
        self.journal = MemoryJournal(self.clock, "anna", "bastion")
        self.store = MemoryCellStore()
        self.traffic = traffic or scene.Traffic(slower=0.3)
        self.nodes = MemoryNodes({name: {RATE: 0.5} for name in ("n0", "n1", "n2")})
        self._tell()
        self.looks = 0

    @property
    def rollout(self) -> Rollout:
        """As the journal tells it."""
        return rollouts_of(self.journal.entries())[ROLLOUT]

    def _tell(self) -> None:
        self.journal.append(Event.BASELINE_CAPTURED, "", {"target": "prod"})
        plan = scene.rollout().plan
        started = record.started("prod", "staging", details_of(plan), digest_of(plan), f"it is time {SECRET}")
        self.journal.append(Event.ROLLOUT_STARTED, ROLLOUT, started)
        approved = {"digest": digest_of(plan), "phase": None, "reason": "looks well"}
        self.journal.append(Event.ROLLOUT_APPROVED, ROLLOUT, approved)
        self.clock.set_wall(scene.moment(scene.BEGAN))
        self.journal.append(Event.ROLLOUT_ENTERING, ROLLOUT, record.entering(plan.stages[0], "run-1", ["old-backup"]))
        changes = [{"node": name, "key": RATE, "old": 0.0, "new": 0.5} for name in ("n0", "n1", "n2")]
        self.journal.append(Event.STEP_INTENT, "run-1", {"step": 1, "changes": changes})
        self.clock.set_wall(scene.moment(scene.AT))
        self.journal.append(Event.ROLLOUT_ENTERED, ROLLOUT, record.entered(plan.stages[0], "run-1"))

    def look(self, now: float, *, silent: str = "") -> None:
        """Collect the rows up to that moment, and take a look."""
        rows: dict[str, list[Any]] = {}
        for cell in self.traffic.rows(end=int(now) // 2 * 2 + 2):
            half = replace(cell, n=cell.n // 2) if cell.bucket + cell.seconds > now else cell  # it is not over yet
            rows.setdefault(cell.node, []).append(half)
        self.store.add([NodeCells(node, 2, tuple(each)) for node, each in rows.items() if node != silent])
        self.clock.set_wall(scene.moment(now))
        self.looks += 1
        found = judge_stage(self.rollout, self.store.rows(rows_needed(self.rollout), now), now)
        basis = basis_from(now, self.store.newest(), self.store.rows(rows_needed(self.rollout), now))
        self.journal.append(
            Event.ROLLOUT_JUDGED, ROLLOUT, record.judged(self.rollout.current, self.looks, found, basis)
        )

    def lines(self, first: int = 1) -> Lines:
        """The journal's lines from that entry on."""
        found = follow(b"".join(line.raw for line in self.journal.lines if line.seq >= first), JOURNAL)
        return Lines(found.raw, found.entries, found.head)

    def write(self, shelf: EvidenceShelf) -> str:
        """A bundle of it; its folder."""
        target = Target("prod", "staging", Path("inventory"), tuple(map(node, ("n0", "n1", "n2"))))
        read = ReadPorts(MemoryProbes(self.clock, lambda *_: {}), self.nodes, self.clock, Silent())
        sources = Sources(
            shelf, self.store, self.journal, read, target, self.lines, lambda names: [{"name": name} for name in names]
        )
        return write_bundle(sources, self.rollout, "the end of gradual")


def node(name: str) -> Node:
    """A node that nobody asks over a network."""
    return Node(name, "http://127.0.0.1:1")


def bundle(made: Scene | None = None) -> dict[str, bytes]:
    """The files of a bundle of a rollout that was judged twice."""
    made = made or judged_twice()
    shelf = MemoryShelf()
    return shelf.bundles[made.write(shelf)]


def judged_twice() -> Scene:
    """Two looks, by the plan."""
    made = Scene()
    made.look(10_027)
    made.look(10_047)
    return made


def proven(files: dict[str, bytes]) -> Proven:
    """What a check of it finds."""
    found = follow(files[JOURNAL], JOURNAL)
    return prove(files, Lines(found.raw, found.entries, found.head))


__all__ = ["ROLLOUT", "SECRET", "Scene", "bundle", "judged_twice", "proven"]
