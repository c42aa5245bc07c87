"""The ports `Nodes` and `DataNode` over the operations contract, by HTTP; and what a server can do at all."""

from runbook.adapters.engram.data import EngramData
from runbook.adapters.engram.nodes import EngramNodes
from runbook.adapters.engram.survey import Surveyor

__all__ = ["EngramData", "EngramNodes", "Surveyor"]
