"""The emergency brake over plain HTTP: flags off on all nodes at once. Thin, so that it starts at once."""

from runbook.adapters.brake.brake import HttpBrake

__all__ = ["HttpBrake"]
