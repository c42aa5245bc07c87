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
from runbook.engine.monitoring.stage import SAID
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

    @property
    def late(self) -> timedelta:
        """When the alert fires, if it does."""
        begin = 3 * self.full + MORE / 4 if self.bound.quantity.how is How.RISE else self.full
        return begin + self.asks.alert.lasting

    def given(self, step: timedelta) -> tuple[Given, ...]:
        """The series of its node, and what `serve` tells."""
        end = self.full + self.asks.alert.lasting
        if self.bound.quantity.how is How.RISE:
            end = 4 * self.full  # it happens after three quarters
        scene = Scene(self.target, step, -(-end // step))
        given = list(crafted(scene, self.bound.quantity, self.bound.value))
        if not any(each.series.startswith(START) for each in given):
            given.append(old_process(scene))
        return (*given, *_baseline(scene, self.bound), *_phase(scene, self.asks))

    def expected(self, step: timedelta) -> Iterator[Expected]:
        """It fires when it has lasted, and not before; or never."""
        alert, fires = self.asks.alert, self.bound.fires
        yield _firing(alert, self.target, self.late, yes=fires)
        if fires and alert.lasting > step:
            yield _firing(alert, self.target, alert.lasting - step, yes=False)


def every_case(asks: Iterable[Asks], usual: timedelta) -> tuple[Case, ...]:
    """Both sides of every limit of every alert; `usual` is the window where a quantity names none."""
    return tuple(
        Case(each, bound, f"q{index}-{bound.word}", usual)
        for index, each in enumerate(asks, start=1)
        for bound in _bounds(each.condition, holds=each.holds)
    )


def proof_of(cases: Iterable[Case], step: timedelta, name: str) -> Proof:
    """One test of all of them."""
    made = list(cases)
    given = tuple(series for each in made for series in each.given(step))
    return Proof(name, given, tuple(told for each in made for told in each.expected(step)))


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


def _firing(alert: AlertRule, target: str, at: timedelta, *, yes: bool) -> Expected:
    labels = {"alertname": alert.name, "alertstate": "firing", "target": target, **dict(alert.labels)}
    return Expected(f"count({selector('ALERTS', labels)})", at, 1.0 if yes else None)


def _baseline(scene: Scene, bound: Bound) -> Iterator[Given]:
    if bound.baseline is not None:
        labels = {"target": scene.target, "node": "one", "address": scene.address, "quantity": bound.quantity.name}
        yield Given(selector("engram_runbook_baseline", labels), scene.values(bound.baseline, 0))


def _phase(scene: Scene, asks: Asks) -> Iterator[Given]:
    if asks.phase:
        yield from in_phase(scene, asks.plan, asks.phase)


def in_phase(scene: Scene, plan: str, phase: str) -> Iterator[Given]:
    """`serve` tells that a rollout by that plan is in that phase."""
    yield Given(selector(SAID, {"target": scene.target}), scene.values(1, 0))
    yield Given(stage_of(scene.target, plan, phase), scene.values(1, 0))


def stage_of(target: str, plan: str, phase: str) -> str:
    """The series by which `serve` tells of a phase."""
    stage = {"rollout": "r1", "plan": plan, "phase": phase, "stage": phase, "standing": "running"}
    return selector("engram_runbook_rollout_stage_info", {"target": target, **stage})
