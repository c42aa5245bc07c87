"""What is wrong with a plan that its schema cannot say: names, orders, sums. Pure; each fault has its place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from runbook.engine.rollout.plan.document import LENGTHS, Details
from runbook.engine.rollout.plan.quantity_check import quantity_faults
from runbook.errors import UsageError
from runbook.model.assignment import STEPS
from runbook.model.duration import as_text, duration
from runbook.model.rollout import NOTHING, Phase, RolloutPlan
from runbook.model.settings import CATALOGUE, Kind, checked

Place = tuple[str | int, ...]
OURS = ("dual_memory.treatment_rate", "dual_memory.treatment_salt", "dual_memory.treatment_spaces")
BLENDED = "dual_memory.use_blended_recall"
CLOSE = 1e-9
WHOLE = 1.0
SELDOM = timedelta(hours=1)
"""Who asks the triggers less often has none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is in the document, and what to do."""

    place: Place
    what: str
    hint: str = ""


def name_faults(details: Details) -> Iterator[Fault]:
    """Names and lengths of time in a document that fits its schema: before it can be read as a plan."""
    yield from _lengths(details, ())
    yield from _moments(details.get("freeze", ()))
    for number, phase in enumerate(details["phases"]):
        place = ("phases", number)
        yield from _settings(phase["flags"], Kind.FEATURE, (*place, "flags"))
        yield from _settings(phase.get("settings", {}), Kind.CONFIG, (*place, "settings"))
        for word in ("criteria", "triggers"):
            for index, asked in enumerate(phase.get(word, ())):
                for part, what, hint in quantity_faults(asked["when"]):
                    yield Fault((*place, word, index, "when", *part), what, hint)


def faults_of(plan: RolloutPlan) -> Iterator[Fault]:
    """Everything else, in the order of the document."""
    yield from _times(plan)
    known: dict[str, int] = {}
    highest = 0.0
    for number, phase in enumerate(plan.phases):
        place = ("phases", number)
        if phase.name in known:
            yield Fault((*place, "name"), f"phase {known[phase.name] + 1} is called {phase.name} too")
        known.setdefault(phase.name, number)
        yield from _shares(plan, phase, place, highest)
        if phase.judging is not None and phase.shares[0] <= highest:
            told = "no space is newly moved by chance at this share: there is nothing to judge"
            yield Fault((*place, "shares", 0), told, "raise it, or leave `judging` out")
        highest = max(highest, *phase.shares)
        yield from _phase(phase, place)
        yield from _judging(plan, phase, place)


def start_faults(plan: RolloutPlan) -> Iterator[Fault]:
    """A start passes no gate: people can approve only what was started, and what must be fresh binds on going on."""
    first = plan.phases[0]
    asked = plan.approve_plan or first.approvals.people or first.fresh.backup or first.fresh.rehearsal
    if asked and (plan.stages[0].treats or first.names_spaces):
        told = "the first stage treats spaces at once: what has to be approved, or fresh, before it could not be asked"
        hint = "begin with a phase of share 0; or approve_plan: false, and neither approvals nor fresh there"
        yield Fault(("phases", 0), told, hint)


def _lengths(found: Any, place: Place) -> Iterator[Fault]:
    if isinstance(found, Mapping):
        for key, value in found.items():
            if key in LENGTHS and isinstance(value, str):
                yield from _length(value, (*place, key))
            elif place[-1:] not in {("flags",), ("settings",), ("labels",), ("other",)}:
                yield from _lengths(value, (*place, key))
    elif isinstance(found, list):
        for index, value in enumerate(found):
            yield from _lengths(value, (*place, index))


def _length(text: str, place: Place) -> Iterator[Fault]:
    try:
        duration(text)
    except UsageError as error:
        yield Fault(place, error.message, error.hint)


def _moments(windows: Iterable[Mapping[str, str]]) -> Iterator[Fault]:
    """A day without a time is at another moment in each zone."""
    for number, window in enumerate(windows):
        for key in ("begin", "end"):
            try:
                zone = datetime.fromisoformat(window[key]).tzinfo
            except ValueError:
                zone = None
            if zone is None:
                told = f"{window[key]!r} is no moment with a zone"
                yield Fault(("freeze", number, key), told, "write it like 2026-12-20T00:00:00+00:00")


def _settings(values: Mapping[str, Any], kind: Kind, place: Place) -> Iterator[Fault]:
    known = [key for key, setting in CATALOGUE.items() if setting.kind is kind and key not in OURS]
    for key, value in values.items():
        if key in OURS:
            yield Fault((*place, key), "the rollout sets it itself", "say `shares`, `spaces` and `salt` instead")
        elif key not in known:
            word = "flag" if kind is Kind.FEATURE else "setting"
            yield Fault((*place, key), f"there is no {word} of that name", _meant(key, known))
        else:
            try:
                checked(CATALOGUE[key], value)
            except UsageError as error:
                yield Fault((*place, key), error.message, error.hint)


def _meant(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


def _times(plan: RolloutPlan) -> Iterator[Fault]:
    for key, length in (("bucket", plan.bucket), ("check_every", plan.check_every)):
        if length <= NOTHING:
            yield Fault((key,), "must be longer than nothing")
    if plan.check_every > SELDOM:
        told = f"{as_text(plan.check_every)} is longer than {as_text(SELDOM)}: triggers would hardly be asked"
        yield Fault(("check_every",), told)
    if plan.bucket % timedelta(seconds=1):
        yield Fault(("bucket",), f"{as_text(plan.bucket)} is not made of whole seconds")
    for number, window in enumerate(plan.freeze):
        if window.end <= window.begin:
            yield Fault(("freeze", number, "end"), "it ends before it begins")


def _shares(plan: RolloutPlan, phase: Phase, place: Place, highest: float) -> Iterator[Fault]:
    """In rising order within a phase and over the phases, in steps of 0.01 %, none in what is held back."""
    before = -1.0
    for index, share in enumerate(phase.shares):
        here = (*place, "shares", index)
        if share <= before:
            yield Fault(here, f"{share:g} comes after {before:g}: shares rise", "put them in rising order")
        elif share < highest:
            told = f"{share:g} is less than the {highest:g} of an earlier phase: nobody is taken out again by going on"
            yield Fault(here, told, "put the phases in the order of their shares; to take back: runbook rollout abort")
        elif 1 - plan.hold_back + CLOSE < share < WHOLE:
            told = f"{share:g} is above {1 - plan.hold_back:g} and below 1: {plan.hold_back:g} are held back as control"
            yield Fault(here, told, "lower it, take 1, or lower hold_back")
        elif abs(share * STEPS - round(share * STEPS)) > CLOSE * STEPS:
            yield Fault(here, f"{share:g} is no multiple of 0.01 %", "shares go in steps of 0.0001")
        before = max(before, share)


def _phase(phase: Phase, place: Place) -> Iterator[Fault]:
    least = max(phase.minimum, phase.hold * len(phase.shares))
    if phase.maximum is not None and phase.maximum < least:
        told = f"{as_text(phase.maximum)} is shorter than the {as_text(least)} that the phase lasts at least"
        yield Fault((*place, "maximum"), told)
    treats = any(phase.shares) or bool(phase.spaces) or phase.names_spaces
    if treats and phase.flags.get(BLENDED) is False:
        yield Fault((*place, "flags", BLENDED), "it is off, so nobody would be treated", "set it to true, or share 0")
    if phase.complaints and phase.complaints_roll_back and phase.complaints_roll_back < phase.complaints:
        told = f"{phase.complaints_roll_back} is less than complaints, {phase.complaints}"
        yield Fault((*place, "complaints_roll_back"), told)
    if phase.tripwire is not None and phase.tripwire.window <= NOTHING:
        yield Fault((*place, "tripwire", "window"), "must be longer than nothing")
    for word, titles in (("criteria", phase.criteria), ("triggers", phase.triggers)):
        yield from _titles([each.title for each in titles], (*place, word))


def _titles(titles: list[str], place: Place) -> Iterator[Fault]:
    for index, title in enumerate(titles):
        if title in titles[:index]:
            yield Fault((*place, index, "title"), "another one has this title")


def _judging(plan: RolloutPlan, phase: Phase, place: Place) -> Iterator[Fault]:
    judging = phase.judging
    if judging is None:
        return
    here = (*place, "judging")
    if judging.look_every <= NOTHING or (plan.bucket > NOTHING and judging.look_every % plan.bucket):
        told = f"{as_text(judging.look_every)} is no multiple of the bucket, {as_text(plan.bucket)}"
        yield Fault((*here, "look_every"), told)
    elif judging.look_every > (least := max(phase.hold, phase.minimum if len(phase.shares) == 1 else NOTHING)):
        told = f"the first look would be after {as_text(judging.look_every)}, and a stage lasts {as_text(least)}"
        yield Fault((*here, "look_every"), told, "look sooner, or hold each stage longer")
    if judging.required and phase.shares[-1] == WHOLE and not phase.validated:
        told = "at a share of 1 no control group is left, and without `validated` nothing would let it go on"
        yield Fault((*place, "shares", len(phase.shares) - 1), told, "add validated: true")
    metrics = [each.metric for each in judging.guardrails]
    for index, guardrail in enumerate(judging.guardrails):
        if guardrail.metric in metrics[:index]:
            yield Fault((*here, "guardrails", index, "metric"), f"{guardrail.metric.value} stands there twice")
        if guardrail.harm_margin > guardrail.margin:
            told = f"{guardrail.harm_margin:g} is more than the margin, {guardrail.margin:g}"
            yield Fault((*here, "guardrails", index, "harm_margin"), told)
