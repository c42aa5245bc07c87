"""The triggers of a phase: each asked of every node, and whether it has lasted, by the journal's own time. Pure.

What a restart would forget is in the journal: `rollout.checked` tells when an answer became YES, and when it was NO.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from runbook.engine.ask import ask
from runbook.engine.evaluate import allowing
from runbook.engine.measure import measure
from runbook.engine.rollout.tripwire import tripped
from runbook.model.answer import Answer, any_of
from runbook.model.finding import Finding
from runbook.model.journal import Entry, Event, original
from runbook.model.measurement import Baseline, Measurement, Samples, Silence, WarmUp
from runbook.model.quantity import Condition, Quantity
from runbook.model.rollout import Rollout, Trigger
from runbook.model.runbook import Symptom

NOTHING = timedelta(0)
NONE_SEEN: Mapping[str, timedelta] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """One trigger, or one half of the tripwire, as it was answered at a check.

    `lasted` is how long it has been YES, as far as the journal knows; what `fires` rolls back.
    """

    title: str
    answer: Answer
    arithmetic: str
    lasting: timedelta = NOTHING
    lasted: timedelta = NOTHING
    tripwire: bool = False

    @property
    def fires(self) -> bool:
        """Is it YES, and has it been for long enough?"""
        return self.answer is Answer.YES and self.lasted >= self.lasting

    @property
    def details(self) -> dict[str, Any]:
        """For `rollout.checked`."""
        return {"title": self.title, "answer": self.answer.value, "arithmetic": self.arithmetic}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured: over the usual window, over the tripwire's, and over hours where the source looks back."""

    nodes: tuple[str, ...]
    samples: Samples
    short: Samples
    history: Samples | None
    baseline: Baseline | None
    source: str
    warm_up: WarmUp | None = None


class Streaks:
    """Since when each trigger has been YES without a NO between, as one process has seen it, by the steady clock."""

    def __init__(self) -> None:
        self._phase = ""
        self._since: dict[str, float] = {}

    def lasted(self, phase: str, now: float) -> dict[str, timedelta]:
        """By title, how long it has been YES in that phase."""
        if phase != self._phase:
            self._phase, self._since = phase, {}
        return {title: timedelta(seconds=now - since) for title, since in self._since.items()}

    def heard(self, asked: Iterable[Asked], now: float) -> None:
        """Count these answers in; UNKNOWN begins nothing, and breaks nothing off."""
        for each in asked:
            if each.answer is Answer.YES:
                self._since.setdefault(each.title, now)
            elif each.answer is Answer.NO:
                self._since.pop(each.title, None)


def check(
    rollout: Rollout,
    reading: Reading,
    entries: Sequence[Entry],
    ages: Mapping[int, timedelta],
    seen: Mapping[str, timedelta] = NONE_SEEN,
) -> list[Asked]:
    """Every trigger of the phase, and its tripwire.

    `seen` is how long ago each was first seen to be YES by who asks, by title: where the journal takes no check, a
    trigger that lasts must still fire.
    """
    phase = rollout.current.phase
    found = [_asked(each, answers(each.title, each.condition, reading)) for each in phase.triggers]
    if phase.tripwire is not None and rollout.current.treats:
        halves = tripped(phase.tripwire, reading.short, reading.source)
        found += [Asked(each.question, each.answer, each.arithmetic, tripwire=True) for each in halves]
    return [_lasted(each, rollout, entries, ages, seen.get(each.title, NOTHING)) for each in found]


def answers(title: str, condition: Condition, reading: Reading) -> list[Finding]:
    """One question put to every node."""
    symptom, found = Symptom(title, condition), []
    for node in reading.nodes:
        now, before = partial(_now, reading, node), partial(_before, reading, node)
        found.append(ask(symptom, node, now, before, {}, reading.source))
    return found


def changed(rollout: Rollout, asked: Iterable[Asked], entries: Sequence[Entry]) -> bool:
    """Is any answer another one than the last that was journaled at this stage, or the first at all?"""
    last = next(
        (entry for entry in map(original, reversed(entries)) if _is_check(entry, rollout, {rollout.stage})), None
    )
    known = {} if last is None else {each["title"]: each["answer"] for each in last.details["answers"]}
    return any(known.get(each.title) != each.answer.value for each in asked)


def last_check(rollout: Rollout, entries: Sequence[Entry]) -> int | None:
    """The number of the last entry that journaled a check at this stage."""
    found = (entry.seq for entry in map(original, reversed(entries)) if _is_check(entry, rollout, {rollout.stage}))
    return next(found, None)


def _asked(trigger: Trigger, findings: Sequence[Finding]) -> Asked:
    answer = any_of(each.answer for each in findings)
    telling = [each for each in findings if each.answer is answer] or findings
    told = "; ".join(f"{each.node}: {each.arithmetic}" for each in telling) or "no node to ask"
    return Asked(trigger.title, answer, told, trigger.lasting)


def _now(reading: Reading, node: str, quantity: Quantity) -> Measurement:
    samples = reading.samples if quantity.over is None or reading.history is None else reading.history
    measured = measure(node, samples.get(node, Silence(node, "it was not read")), quantity, reading.warm_up)
    return allowing(measured, 0.0 if reading.baseline is None else reading.baseline.reach(node, quantity.name))


def _before(reading: Reading, node: str, quantity: Quantity) -> float | None:
    return None if reading.baseline is None else reading.baseline.quantity(node, quantity.name)


def _lasted(
    asked: Asked, rollout: Rollout, entries: Sequence[Entry], ages: Mapping[int, timedelta], seen: timedelta
) -> Asked:
    if asked.answer is not Answer.YES or not asked.lasting:
        return asked
    first: int | None = None
    stages = {stage.number for stage in rollout.plan.stages if stage.phase == rollout.current.phase}
    for entry in entries:
        if not _is_check(original(entry), rollout, stages):
            continue
        told = {each["title"]: each["answer"] for each in original(entry).details["answers"]}
        match told.get(asked.title):
            case Answer.YES.value if first is None:
                first = entry.seq
            case Answer.NO.value:
                first = None
            case _:
                pass
    lasted = max(NOTHING if first is None else ages[first], seen)
    arithmetic = f"{asked.arithmetic}; YES for {_seconds(lasted)} of {_seconds(asked.lasting)}"
    return Asked(asked.title, asked.answer, arithmetic, asked.lasting, lasted)


def _is_check(entry: Entry, rollout: Rollout, stages: Collection[int]) -> bool:
    mine = entry.event is Event.ROLLOUT_CHECKED and entry.run == rollout.id
    return mine and int(entry.details["stage"]) in stages


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"
