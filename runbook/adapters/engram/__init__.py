"""The ports `Nodes`, `CellSource` and `DataNode` of the operations contract, by HTTP; and what a server can do."""

from runbook.adapters.engram.cells import EngramCells
from runbook.adapters.engram.data import EngramData
from runbook.adapters.engram.nodes import EngramNodes
from runbook.adapters.engram.survey import Surveyor

__all__ = ["EngramCells", "EngramData", "EngramNodes", "Surveyor"]
