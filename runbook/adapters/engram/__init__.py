"""The port `Nodes` over the operations contract: settings and leases, by HTTP."""

from runbook.adapters.engram.nodes import EngramNodes

__all__ = ["EngramNodes"]
