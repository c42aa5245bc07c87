"""Faults to inject, one file each; the name of a fault is the name of its file, with dashes."""

from runbook.sandbox.faults.collection import Faults
from runbook.sandbox.faults.fault import Fault, FaultError

__all__ = ["Fault", "FaultError", "Faults"]
