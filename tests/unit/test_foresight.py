"""What a record says of the spaces, and what is foreseen of a plan."""

from datetime import timedelta

import numpy as np
import pytest
from recorded_rows import HOUR, recorded_rows

from runbook.engine.judging import power
from runbook.engine.judging.behaviour import behaviour_of
from runbook.engine.judging.power import Trial
from runbook.engine.judging.simulate import foresee
from runbook.model.foresight import Behaviour, Record
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Judging, Phase, RolloutPlan


def plan(*shares: float, margin: float = 0.10, hold: timedelta = timedelta(days=2)) -> RolloutPlan:
    """One phase that is judged by latency, looked at every day."""
    judging = Judging((Guardrail(Metric.LATENCY, margin),), look_every=timedelta(days=1))
    return RolloutPlan("p", "A plan", (Phase("canary", "Canary", "", {}, shares=shares, hold=hold, judging=judging),))


def test_the_record_gives_back_what_the_fleet_was_made_of() -> None:
    """Between spaces .25, a recall .6, wandering .1 of which .8 is left an hour later, and no drift beyond it."""
    found = behaviour_of(recorded_rows, HOUR)
    assert isinstance(found, Record)
    latency = found.behaviours[Metric.LATENCY]
    assert latency.between == pytest.approx(0.25, rel=0.3)
    assert latency.noise == pytest.approx(0.6, rel=0.02)
    assert latency.wander == pytest.approx(0.10, rel=0.15)
    assert latency.persistence == pytest.approx(0.8, abs=0.1)
    assert latency.drift == 0.0
    assert (found.spaces, found.buckets, found.recalls["space-1"]) == (60, 96, pytest.approx(20 / HOUR))
    assert found.behaviours[Metric.ERRORS].noise == 0.0
    assert found.behaviours[Metric.CONFIDENCE].level == pytest.approx(-0.7, abs=0.01)


def test_chance_is_not_taken_for_wandering() -> None:
    """A fleet whose spaces stay where they are has no persistence, and next to no wandering."""
    found = behaviour_of(lambda: recorded_rows(wander=0.0), HOUR)
    assert isinstance(found, Record)
    assert found.behaviours[Metric.LATENCY].wander < 0.03
    assert found.behaviours[Metric.LATENCY].persistence < 0.3


def test_a_short_record_is_used_as_far_as_it_goes_and_said() -> None:
    """A minute of two-second rows cannot be added up to hours: shorter buckets are taken, and the record says so."""
    found = behaviour_of(lambda: recorded_rows(spaces=10, buckets=30, seconds=2), HOUR)
    assert isinstance(found, Record)
    assert (found.seconds, found.buckets) == (6, 10)
    assert "too short for buckets of 3600 s" in found.told[0]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (behaviour_of(list, HOUR), "no recall"),
        (behaviour_of(lambda: recorded_rows(spaces=1, buckets=10), HOUR), "one space alone"),
        (behaviour_of(lambda: recorded_rows(spaces=3, buckets=5), HOUR), "too short"),
        (behaviour_of(lambda: recorded_rows(spaces=3, buckets=10, seconds=7), HOUR), "do not add up"),
    ],
)
def test_what_cannot_be_said_is_not_guessed(found: Record | str, why: str) -> None:
    """No rows, one space, too few buckets, or buckets that do not fit: a reason, and no number."""
    assert isinstance(found, str)
    assert why in found


def test_half_of_sixty_spaces_decide_ten_per_cent_within_a_day() -> None:
    """The fleet of the bench is foreseen to decide as the bench shows that it does."""
    found = foresee(plan(0.5), recorded_rows, runs=20)
    (stage,) = found.stages
    (power,) = stage.powers
    assert stage.treated + stage.controls == 60
    assert (power.safe, power.harm, stage.safe) == (1.0, 1.0, 1.0)
    assert power.safe_after == timedelta(days=1)
    assert found.decides


def test_a_share_that_moves_two_spaces_can_decide_nothing() -> None:
    """With one or two spaces an arm no draw is rare enough: never safe, never harm, and known before it begins."""
    found = foresee(plan(0.03), recorded_rows, runs=5)
    (stage,) = found.stages
    assert stage.few
    assert stage.treated <= 3
    assert (stage.safe, stage.decides, found.decides) == (0.0, False, False)


def test_a_margin_that_is_too_fine_for_the_fleet_cannot_be_decided() -> None:
    """0.1 % is below what two days of twenty recalls an hour can tell apart."""
    (stage,) = foresee(plan(0.5, margin=0.001), recorded_rows, runs=10).stages
    assert stage.powers[0].safe < 0.5
    assert not stage.decides


def test_what_is_foreseen_depends_on_nothing_but_plan_rows_and_runs() -> None:
    """Twice the same, and the whole share is no stage that anybody could be compared in."""
    twice = [foresee(plan(0.25, 0.5, 1.0), lambda: recorded_rows(spaces=24, buckets=24), runs=4) for _ in range(2)]
    assert twice[0] == twice[1]
    assert [stage.stage for stage in twice[0].stages] == ["canary-25%", "canary-50%"]


def test_a_plan_that_looks_every_hour_for_weeks_is_foreseen_by_fewer_looks() -> None:
    """`rollout plan` would take minutes else; how many looks are planned is told, and that fewer were simulated."""
    many = plan(0.5, hold=timedelta(days=40))
    found = foresee(many, lambda: recorded_rows(spaces=24, buckets=24), runs=2)
    assert found.stages[0].looks == 40
    assert any("24 are simulated" in told for told in found.told)
    assert not any("simulated" in told for told in foresee(plan(0.5), recorded_rows, runs=1).told)


def test_without_a_record_nothing_is_foreseen() -> None:
    """No data is no yes."""
    found = foresee(plan(0.5), list)
    assert not found.decides
    assert "no recall" in found.why_not


def test_what_is_drawn_at_once_spreads_as_if_it_were_drawn_bucket_by_bucket() -> None:
    """The units' means at each look have the spread, and remember each other, as those of simulated buckets do."""
    units, own, looks = 3000, 60, (5, 24)
    behaviour = Behaviour(Metric.LATENCY, 2.3, 0.25, noise=0.6, wander=0.1, persistence=0.8, drift=0.0)
    treated = np.arange(units) >= units // 2
    trial = Trial(Guardrail(Metric.LATENCY, 0.1), behaviour, np.full(units, 9.0), treated, own, looks, 0.05, 1, "x")
    drawn = power._means(trial, 0, 0.0)
    draw = np.random.default_rng(2)
    wander = draw.standard_normal((own + looks[-1], units))
    for bucket in range(1, len(wander)):
        wander[bucket] = 0.8 * wander[bucket - 1] + 0.6 * wander[bucket]
    count = draw.poisson(9.0, wander.shape)
    values = 0.1 * wander + 0.6 * draw.standard_normal(wander.shape) / np.sqrt(np.maximum(count, 1))
    before = np.average(values[:own], axis=0, weights=count[:own])
    slow = np.stack([values[own : own + look].mean(axis=0) - before for look in looks], axis=1)
    assert drawn.std(axis=0) == pytest.approx(slow.std(axis=0), rel=0.06)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(np.corrcoef(slow.T)[0, 1], abs=0.06)
