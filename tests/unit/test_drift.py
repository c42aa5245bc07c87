"""Drift: against what was last set, else the baseline, else the peers; what was set so is told apart."""

from dataclasses import replace
from datetime import UTC, datetime

from runbook.engine.drift import DriftReport, Measure, compare
from runbook.model.measurement import Baseline, NodeBaseline, Silence
from runbook.model.setting_change import SettingChange
from runbook.model.settings import Value

CONCEPTS = "dual_memory.enable_concepts"
WEIGHT = "dual_memory.semantic_weight"
AT = datetime(2026, 11, 23, tzinfo=UTC)
CHANGE = SettingChange(AT, "anna@bastion", "run-1", "flags set", "fleet", "a", CONCEPTS, old=True, new=False)


def baseline(**values: Value) -> Baseline:
    """A baseline with that weight on each node."""
    return Baseline("fleet", AT, 10.0, {name: NodeBaseline({}, {WEIGHT: value}) for name, value in values.items()})


def facts(report: DriftReport) -> list[tuple[str, str, Value, Value, Measure]]:
    """Its drifts, short."""
    return [(each.node, each.key, each.value, each.expected, each.measure) for each in report.drifts]


def test_a_fleet_as_it_was_set_has_not_drifted() -> None:
    """Nor has one that nobody ever set, where all are alike."""
    settings = {"a": {CONCEPTS: False}, "b": {CONCEPTS: False}}
    assert compare(settings, [CONCEPTS], {}, None) == DriftReport((), (), ())
    intended = {(node, CONCEPTS): replace(CHANGE, node=node) for node in settings}
    assert compare(settings, [CONCEPTS], intended, None) == DriftReport((), (), ())


def test_the_journal_goes_before_the_baseline_and_that_before_the_peers() -> None:
    """Each value has one measure, the best that there is."""
    settings = {"a": {CONCEPTS: True, WEIGHT: 0.4}, "b": {CONCEPTS: True, WEIGHT: 0.3}, "c": {WEIGHT: 0.3}}
    intended = {("a", CONCEPTS): CHANGE}
    report = compare(settings, [CONCEPTS, WEIGHT], intended, baseline(a=0.4, b=0.5))
    assert facts(report) == [
        ("a", CONCEPTS, True, False, Measure.LAST_SET),
        ("b", WEIGHT, 0.3, 0.5, Measure.BASELINE),
    ]
    assert report.drifts[0].change is CHANGE
    assert [(each.node, each.key) for each in report.as_set] == [("a", WEIGHT)]


def test_without_anything_else_the_odd_one_out_has_drifted() -> None:
    """The commonest value is the usual one; numbers in single precision are the same."""
    settings = {"a": {WEIGHT: 0.3}, "b": {WEIGHT: 0.30000001192}, "c": {WEIGHT: 0.5}}
    assert facts(compare(settings, [WEIGHT], {}, None)) == [("c", WEIGHT, 0.5, 0.3, Measure.PEERS)]
    assert facts(compare({"c": {WEIGHT: 0.5}}, [WEIGHT], {}, None)) == []


def test_a_change_in_doubt_may_have_taken_effect_or_not() -> None:
    """Both of its values are as meant, a third one is not."""
    doubtful = {("a", WEIGHT): replace(CHANGE, key=WEIGHT, old=0.3, new=0.4, in_doubt=True)}
    for value, count in ((0.3, 0), (0.4, 0), (0.5, 1)):
        assert len(compare({"a": {WEIGHT: value}}, [WEIGHT], doubtful, None).drifts) == count


def test_who_does_not_tell_is_told() -> None:
    """A silent node, and one that does not tell what was once set there."""
    report = compare({"a": {}, "b": Silence("b", "refused")}, [CONCEPTS, WEIGHT], {("a", CONCEPTS): CHANGE}, None)
    assert report.drifts == ()
    assert report.silent == (Silence("b", "refused"), Silence("a", f"it does not tell {CONCEPTS}"))
