"""A baseline must not be taken in an incident: it would call the incident usual."""

from datetime import UTC, datetime

from runbook.engine.baseline import doubts
from runbook.issues.high_formation_rate import RUNBOOK
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.settings import Value, defaults

FORMED = RUNBOOK.leading.condition.quantity.name
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def taken(formed: float, **settings: Value) -> Baseline:
    """A baseline of one node; a setting is named by the last part of its key."""
    known = defaults() | {f"dual_memory.{key}": value for key, value in settings.items()}
    return Baseline("fleet", NOW, 10.0, {"node-1": NodeBaseline({FORMED: formed}, known)})


def test_a_fleet_that_is_well_raises_no_doubt() -> None:
    """Defaults, and a trickle of concepts."""
    assert doubts(taken(12.0), (RUNBOOK,)) == ()


def test_a_rate_over_the_absolute_limit_is_doubted() -> None:
    """Whatever the last baseline said: there is none to compare with."""
    assert doubts(taken(129.0), (RUNBOOK,)) == ("node-1: 129 concepts/min > 60.0 (no baseline: the absolute limit)",)


def test_a_setting_short_of_its_default_is_doubted() -> None:
    """Else the main step of the runbook would put this value back."""
    (found,) = doubts(taken(0.0, coherence_threshold=0.3), (RUNBOOK,))
    assert found == "node-1: dual_memory.coherence_threshold = 0.3 < default 0.65"


def test_a_setting_stricter_than_its_default_is_not() -> None:
    """A careful fleet is a well fleet."""
    assert doubts(taken(0.0, coherence_threshold=0.8, concept_sample_rate=0.01, min_cluster_size=9), (RUNBOOK,)) == ()
