"""Collect evidence from the suspect nodes before anything is changed, keep it with the run, and journal what it shows.

A node that cannot be looked into, or a disk that cannot keep the dump, never keeps the run from its steps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from runbook.engine.heap import grown
from runbook.errors import NotSupportedError, StorageError, UsageError
from runbook.model.evidence import NodeEvidence
from runbook.model.journal import Event
from runbook.model.play import Collected, CollectRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runbook.model.evidence import Kept
    from runbook.model.run import RunPlan
    from runbook.model.runbook import Evidence
    from runbook.ports import ChangePorts


class Shelf(Protocol):
    """Where documents of a run are kept."""

    def keep(self, run: str, name: str, document: Mapping[str, Any]) -> Kept:
        """Keep it durably under that name with the run.

        Raises:
            StorageError: the disk refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Looking:
    """What is collected, and where it is kept."""

    evidence: Evidence
    shelf: Shelf


def marks(run: str) -> tuple[str, str]:
    """The marks of the two plays that collect, so that a later process can end what a killed one left running."""
    return f"{run}.evidence.1", f"{run}.evidence.2"


def collect_evidence(
    ports: ChangePorts, looking: Looking, plan: RunPlan, nodes: Sequence[str]
) -> tuple[NodeEvidence, ...]:
    """Two dumps of each node, apart from each other, compared and kept.

    Raises:
        InterruptedRunError: cancelled; nothing was changed.
        StorageError: the journal refused; nothing was changed.
    """
    evidence, talk, clock = looking.evidence, ports.read.talk, ports.read.clock
    talk.say(f"{evidence.title}: from {', '.join(nodes)}, twice within {evidence.apart.total_seconds():.0f} s")
    begin = clock.monotonic()
    first = _collected(ports, evidence, plan, nodes, 1)
    clock.sleep(evidence.apart.total_seconds())
    last = _collected(ports, evidence, plan, nodes, 2)
    seconds = clock.monotonic() - begin
    found = tuple(_compared(looking, plan, pair, seconds) for pair in zip(first, last, strict=True))
    for each in found:
        ports.journal.append(Event.EVIDENCE_COLLECTED, plan.id, asdict(each))
    return found


def _collected(
    ports: ChangePorts, evidence: Evidence, plan: RunPlan, nodes: Sequence[str], turn: int
) -> tuple[Collected, ...]:
    request = CollectRequest(evidence.playbook, tuple(nodes), marks(plan.id)[turn - 1])
    try:
        return ports.plays.collect(request, ports.read.talk.say)
    except (NotSupportedError, UsageError, StorageError) as error:
        return tuple(Collected(node, None, error.message) for node in nodes)


def _compared(looking: Looking, plan: RunPlan, dumps: tuple[Collected, Collected], seconds: float) -> NodeEvidence:
    node = dumps[0].host
    missing = "; ".join(dict.fromkeys(each.message for each in dumps if each.document is None))
    kept: list[Kept] = []
    for turn, each in enumerate(dumps, start=1):
        if each.document is not None:
            try:
                kept.append(looking.shelf.keep(plan.id, f"{looking.evidence.playbook}-{node}-{turn}", each.document))
            except (StorageError, UsageError) as error:
                missing = "; ".join(filter(None, (missing, error.message)))
    first, last = (each.document for each in dumps)
    grew = () if first is None or last is None else grown(first, last)
    return NodeEvidence(node, tuple(kept), grew, round(seconds, 3), missing)
