"""What the engine needs of the world, as Protocols. `adapters/` implements each; tests run one contract suite on all.

`fleet` is for what asks and changes nodes, `brake` for the emergency, `data` for what moves their data, `rollout` for
what judges and watches.
"""

from runbook.ports.brake import Brake, BrakePorts, Pulling
from runbook.ports.data import Archives, Bench, Converter, DataNode, Telling
from runbook.ports.fleet import (
    ChangePorts,
    Clock,
    Journal,
    Locks,
    Nodes,
    Plays,
    Probes,
    Questions,
    ReadPorts,
    ScratchFleet,
    Store,
    Talk,
)
from runbook.ports.rollout import AccessLogs, CellSource, CellStore, EvidenceShelf

__all__ = [
    "AccessLogs",
    "Archives",
    "Bench",
    "Brake",
    "BrakePorts",
    "CellSource",
    "CellStore",
    "ChangePorts",
    "Clock",
    "Converter",
    "DataNode",
    "EvidenceShelf",
    "Journal",
    "Locks",
    "Nodes",
    "Plays",
    "Probes",
    "Pulling",
    "Questions",
    "ReadPorts",
    "ScratchFleet",
    "Store",
    "Talk",
    "Telling",
]
