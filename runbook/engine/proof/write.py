"""Write the evidence of a rollout: everything that its verdicts and its standing follow from, in one folder."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import runbook
from runbook.engine.judging.judgement import look_moments
from runbook.engine.proof.manifest import about_of
from runbook.engine.proof.table import lines_of
from runbook.engine.proof.told import approvals_in, before_in, first_row, looks_in, plan_in, rollout_in
from runbook.model.bundle import (
    APPROVALS,
    BACKUPS,
    CELLS,
    JOURNAL,
    PLAN,
    SELF_TEST,
    SETTINGS,
    VERDICTS,
    Manifest,
)
from runbook.model.cells import CONTROL, Cell
from runbook.model.journal import Entry, Event
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.rollout import Rollout
from runbook.model.target import Target
from runbook.ports import CellStore, EvidenceShelf, ReadPorts
from runbook.ports.fleet import Journal

SELF_TEST_LOOKS = 24
"""At most so many looks are replayed: a self-test is not to keep a rollback waiting."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the journal as they are on the disk, and what they say; `head` is the hash of the last one."""

    raw: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    head: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the evidence is taken from, and where it goes.

    `lines` gives the journal's lines from an entry's number on; `backups` what is known of the backups of these names.
    """

    shelf: EvidenceShelf
    rows: CellStore
    journal: Journal
    read: ReadPorts
    target: Target
    lines: Callable[[int], Lines]
    backups: Callable[[Sequence[str]], Sequence[Mapping[str, Any]]]


def write_bundle(sources: Sources, rollout: Rollout, why: str) -> str:
    """Write a bundle of the rollout as it stands, and journal it; its folder.

    Raises:
        StorageError: the disk refused; no part of it is left.
        DamagedError: the journal, or the store of the rows, does not read.
    """
    lines = sources.lines(rollout.seq)
    known = rollout_in(lines.entries, rollout.id)
    rows = tuple(sources.rows.rows(first_row(lines.entries, rollout.id), float("inf")))
    after = _told(sources.read.nodes.settings(sources.target.hosts))
    documents = {
        PLAN: plan_in(known),
        APPROVALS: approvals_in(known),
        VERDICTS: looks_in(lines.entries, rollout.id),
        SETTINGS: {"before": before_in(lines.entries, rollout.target, after), "after": after},
        BACKUPS: list(sources.backups(known.backups)),
        SELF_TEST: self_test(known, rows),
    }
    about = _about(sources, rollout, why, lines)
    folder, digest = sources.shelf.keep(about, documents, {JOURNAL: lines.raw, CELLS: lines_of(rows)})
    sources.journal.append(
        Event.EVIDENCE_WRITTEN, rollout.id, {"folder": folder, "name": about["name"], "manifest": digest, "why": why}
    )
    return folder


def self_test(rollout: Rollout, rows: Iterable[Cell]) -> dict[str, Any]:
    """The judge tried on this fleet's own time before anyone was treated; `figure` None where there is too little."""
    from runbook.engine.judging.replayed import replay_rows  # noqa: PLC0415  # numpy, for those who judge

    bucket, judging = round(rollout.plan.bucket.total_seconds()), rollout.current.phase.judging
    looks = min(max(len(look_moments(rollout)), 1), SELF_TEST_LOOKS)
    alpha = 0.05 if judging is None else judging.alpha
    quiet = (row for row in rows if row.group == CONTROL and row.bucket < _nobody_until(rollout))
    found = replay_rows(quiet, bucket, looks, alpha=alpha, seed=rollout.id) if bucket else None
    if found is None:
        return {"figure": None, "arithmetic": "too few spaces that nobody treated, or too short a time, to replay"}
    return {"figure": asdict(found) | {"trusted": found.trusted}, "arithmetic": found.arithmetic}


def _nobody_until(rollout: Rollout) -> float:
    """When the first stage that treats anyone was begun (seconds since 1970); for ever where none was."""
    moments = [each.began or each.at for each in rollout.entered if rollout.plan.stages[each.stage].treats]
    return min((each.timestamp() for each in moments), default=float("inf"))


def _about(sources: Sources, rollout: Rollout, why: str, lines: Lines) -> dict[str, Any]:
    """Named by the rollout and how far the journal went: two bundles of one moment have one name."""
    last = lines.entries[-1].seq
    return about_of(
        Manifest(
            name=f"{rollout.id}-{last:06d}",
            tool=runbook.__version__,
            rollout=rollout.id,
            target=rollout.target,
            why=why,
            written_at=sources.read.clock.now().isoformat(timespec="seconds"),
            first=lines.entries[0].seq,
            last=last,
            head=lines.head,
            waiting=sum(1 for _ in sources.journal.waiting()),
            files={},
        )
    )


def _told(settings: NodeSettings) -> dict[str, Any]:
    return {
        node: {"silent": found.reason} if isinstance(found, Silence) else dict(found)
        for node, found in sorted(settings.items())
    }
