"""A baseline that lacks what a validation needs says so when it is captured, and not only when it is missed."""

from datetime import UTC, datetime

from runbook.cli.baselines import left_out
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.validation import Kept

WHOLE = {kept.value: 1.0 for kept in Kept}


def baseline(**nodes: dict[str, float]) -> Baseline:
    """One with these quantities."""
    kept = {name: NodeBaseline(quantities, {}) for name, quantities in nodes.items()}
    return Baseline("prod", datetime.now(UTC), 60.0, kept)


def test_a_whole_one_leaves_nothing_out() -> None:
    """No word is lost about it."""
    assert list(left_out(baseline(a=WHOLE, b=WHOLE))) == []


def test_what_is_not_known_is_told_with_its_nodes_and_with_what_to_do() -> None:
    """The latency of one node, from a Prometheus that began a moment ago."""
    young = {name: value for name, value in WHOLE.items() if name != Kept.LATENCY}
    told = list(left_out(baseline(a=WHOLE, b=young)))
    assert told[0] == "not known on b: typical(engram_recall_duration_seconds)"
    assert "--window" in told[1]
