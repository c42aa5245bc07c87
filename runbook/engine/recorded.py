"""What the baseline recorded of a node, in the setting's own type. Pure."""

from runbook.model.measurement import Baseline
from runbook.model.settings import CATALOGUE, Value, checked


def recorded(baseline: Baseline | None, node: str, key: str) -> Value | None:
    """The setting in the baseline, as its own type, or None."""
    value = None if baseline is None else baseline.setting(node, key)
    return None if value is None else checked(CATALOGUE[key], value)
