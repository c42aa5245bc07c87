"""The port `Nodes` over the operations contract: settings and leases, by HTTP; and what a server can do at all."""

from runbook.adapters.engram.nodes import EngramNodes
from runbook.adapters.engram.survey import Surveyor

__all__ = ["EngramNodes", "Surveyor"]
