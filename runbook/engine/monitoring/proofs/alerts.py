"""The proof of each alert that asks a quantity: above its limit it fires, after its time and not before; below, never.

Every case is a target of its own, so that one test holds them all: promtool evaluates every rule for each test.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.monitoring.asks import Asks
from runbook.engine.monitoring.promql import selector
from runbook.engine.monitoring.proofs.bounds import Bound, bounds
from runbook.engine.monitoring.proofs.craft import START, Scene, crafted, old_process
from runbook.model.monitoring import AlertRule, Expected, Given, Proof
from runbook.model.quantity import Condition, How, Reported, Sustained
from runbook.model.rollout import NOTHING

MORE = timedelta(minutes=2)
"""So much longer than its window, and a number is what it will be."""


@dataclass(frozen=True, slots=True)
class Case:
    """One alert on one side of its limit, as a target of its own."""

    asks: Asks
    bound: Bound
    target: str
    usual: timedelta

    @property
    def reach(self) -> timedelta:
        """How long it takes to tell."""
        return max(self.asks.alert.lasting, self.bound.quantity.over or NOTHING)

    @property
    def full(self) -> timedelta:
        """When its window is full."""
        return max(self.usual, self.bound.quantity.over or NOTHING) + MORE


def every_case(asks: Iterable[Asks], usual: timedelta) -> tuple[Case, ...]:
    """Both sides of every limit of every alert; `usual` is the window where a quantity names none."""
    return tuple(
        Case(each, bound, f"q{index}-{bound.word}", usual)
        for index, each in enumerate(asks, start=1)
        for bound in _bounds(each.condition, holds=each.holds)
    )


def proof_of(cases: Iterable[Case], step: timedelta, name: str) -> Proof:
    """One test of all of them."""
    made = [_case(each, step) for each in cases]
    given = tuple(series for more, _ in made for series in more)
    return Proof(name, given, tuple(told for _, expected in made for told in expected))


def _bounds(condition: Condition, *, holds: bool) -> Iterator[Bound]:
    match condition:
        case Reported():
            return
        case Sustained(parts):
            for index, part in enumerate(parts):
                for bound in bounds(part, holds=holds):
                    if bound.fires or index == len(parts) - 1:  # what is good for one is bad for the next
                        yield Bound(bound.quantity, bound.value, None, bound.fires, f"{bound.word}-{index + 1}")
        case _:
            yield from bounds(condition, holds=holds)


def _case(case: Case, step: timedelta) -> tuple[list[Given], list[Expected]]:
    asked, bound, target = case.asks, case.bound, case.target
    end = case.full + asked.alert.lasting
    if bound.quantity.how is How.RISE:
        end = 4 * case.full  # it happens after three quarters
    scene = Scene(target, step, -(-end // step))
    given = list(crafted(scene, bound.quantity, bound.value))
    if not any(each.series.startswith(START) for each in given):
        given.append(old_process(scene))
    given += [*_baseline(scene, bound), *_phase(scene, asked.phase)]
    late = end if bound.quantity.how is not How.RISE else 3 * case.full + asked.alert.lasting + 2 * step
    expected = [fires(asked.alert, target, late, bound.fires)]
    if bound.fires and asked.alert.lasting > step:
        expected.append(fires(asked.alert, target, asked.alert.lasting - step, yes=False))
    return given, expected


def fires(alert: AlertRule, target: str, at: timedelta, yes: bool) -> Expected:  # noqa: FBT001 - it is what is expected
    """Does that alert fire for that target at that moment?"""
    labels = {"alertname": alert.name, "alertstate": "firing", "target": target, **dict(alert.labels)}
    return Expected(f"count({selector('ALERTS', labels)})", at, 1.0 if yes else None)


def _baseline(scene: Scene, bound: Bound) -> Iterator[Given]:
    if bound.baseline is not None:
        labels = {"target": scene.target, "node": "one", "address": scene.address, "quantity": bound.quantity.name}
        yield Given(selector("engram_runbook_baseline", labels), scene.values(bound.baseline, 0))


def _phase(scene: Scene, phase: str) -> Iterator[Given]:
    if phase:
        yield from in_phase(scene, phase)


def in_phase(scene: Scene, phase: str) -> Iterator[Given]:
    """`serve` tells that a rollout is in that phase."""
    target = {"target": scene.target}
    stage = {**target, "rollout": "r1", "phase": phase, "stage": phase, "standing": "running"}
    yield Given(selector("engram_runbook_rollout_under_way", target), scene.values(1, 0))
    yield Given(selector("engram_runbook_rollout_stage_info", stage), scene.values(1, 0))
