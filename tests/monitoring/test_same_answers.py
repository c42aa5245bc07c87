"""The rules and the commands answer alike: the very series that make an alert fire make the engine say YES."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from runbook.cli.issue import known_issues
from runbook.cli.rollout.plans import plan_named
from runbook.engine.monitoring.promql import USUAL
from runbook.engine.monitoring.proofs.alerts import Case, every_case
from runbook.engine.monitoring.symptoms import symptom_alerts
from runbook.engine.monitoring.triggers import gate_alerts, standing_alerts, trigger_alerts
from runbook.engine.rollout.triggers import Reading, answers
from runbook.model.answer import Answer
from runbook.model.measurement import Baseline, NodeBaseline, NodeSamples, Sample, Series
from runbook.model.monitoring import PLACE, Given

STEP = timedelta(seconds=30)
PLANS = (plan_named("dual-memory"),)
SYMPTOMS = [each for issue in known_issues() for each in symptom_alerts(issue)]
ASKS = [*SYMPTOMS, *trigger_alerts(PLANS, ()), *standing_alerts(PLANS, ()), *gate_alerts(PLANS)]
CASES = every_case(ASKS, USUAL)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_PART = re.compile(r"(-?[\d.e+-]+?)([+-][\d.e+-]+?)x(\d+)")


def values(notation: str) -> list[float]:
    """What promtool reads: `a+bxn` is a, a+b, ... a+bn."""
    found = []
    for part in notation.split():
        match = _PART.fullmatch(part)
        assert match, part
        begin, rise, times = float(match[1]), float(match[2]), int(match[3])
        found += [begin + rise * at for at in range(times + 1)]
    return found


def series(given: Given, begin: float, end: float) -> Series:
    """As a node exposes it, in that span of time."""
    name, _, inside = given.series.partition("{")
    labels = tuple(pair for pair in _LABEL.findall(inside) if pair[0] not in {*PLACE, "job"})
    every = (Sample(at * STEP.total_seconds(), value) for at, value in enumerate(values(given.values)))
    return Series(name, labels, tuple(each for each in every if begin <= each.at <= end))


def reading(case: Case) -> Reading:
    """What the engine would have seen when the alert fires."""
    given = [each for each in case.given(STEP) if not each.series.startswith("engram_runbook_")]
    end = case.late.total_seconds()

    def over(length: timedelta) -> NodeSamples:
        return NodeSamples("one", tuple(series(each, end - length.total_seconds(), end) for each in given))

    usual = case.bound.baseline
    known = {} if usual is None else {case.bound.quantity.name: usual}
    baseline = Baseline("t", datetime.now(UTC), 60, {"one": NodeBaseline(known, {})})
    now, history = {"one": over(USUAL)}, {"one": over(case.bound.quantity.over or USUAL)}
    return Reading(("one",), now, now, history, baseline, "test")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.asks.alert.name}-{case.target}")
def test_the_engine_says_what_the_alert_says(case: Case) -> None:
    """Beyond the limit it is YES (of what must hold: NO), on the good side not, and without a baseline unknown."""
    (found,) = answers("asked", case.asks.condition, reading(case))
    wrong = Answer.NO if case.asks.holds else Answer.YES
    assert (found.answer is wrong) is case.bound.fires, found.arithmetic
    if case.bound.word == "no-baseline":
        assert found.answer is Answer.UNKNOWN
