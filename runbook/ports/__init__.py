"""What the engine needs of the world, as Protocols. `adapters/` implements each; tests run one contract suite on all.

`fleet` is for what asks and changes nodes, `data` for what moves their data.
"""

from runbook.ports.data import Archives, Bench, Converter, DataNode, Telling
from runbook.ports.fleet import (
    Brake,
    BrakePorts,
    ChangePorts,
    Clock,
    Journal,
    Locks,
    Nodes,
    Plays,
    Probes,
    Pulling,
    Questions,
    ReadPorts,
    ScratchFleet,
    Store,
    Talk,
)

__all__ = [
    "Archives",
    "Bench",
    "Brake",
    "BrakePorts",
    "ChangePorts",
    "Clock",
    "Converter",
    "DataNode",
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
