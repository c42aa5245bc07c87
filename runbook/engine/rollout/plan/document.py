"""A rollout plan as a document, and back: one form for the journal, for YAML files and for `--json`.

Lengths of time are texts (`48h`), conditions small objects, moments ISO 8601. What is as usual is left out, so that a
plan stays readable; what is unknown here (of a newer version) is passed over when a journal is read, and refused by the
schema when a file is.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from runbook.engine.rollout.plan.conditions import condition_details, condition_of
from runbook.errors import DamagedError, UsageError
from runbook.model.duration import as_text, duration
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import (
    Advance,
    Approvals,
    Criterion,
    FreezeWindow,
    Fresh,
    Judging,
    Phase,
    RolloutPlan,
    Trigger,
    Tripwire,
)
from runbook.model.settings import Settings, checked, setting_of

VERSION = 1
LENGTHS = frozenset(
    ("bucket", "check_every", "hold", "minimum", "maximum", "lasting", "window", "look_every", "backup", "rehearsal")
) | {"over"}
"""The keys whose values are lengths of time, wherever they stand."""

Details = Mapping[str, Any]


def details_of(plan: RolloutPlan) -> dict[str, Any]:
    """The plan as JSON, complete: `plan_of` gives the same plan back."""
    details: dict[str, Any] = {"version": VERSION, "name": plan.name, "title": plan.title}
    details |= _unusual(plan, _SCALAR_PLAN, _USUAL_PLAN)
    if plan.freeze:
        details["freeze"] = [
            {"begin": each.begin.isoformat(), "end": each.end.isoformat(), "why": each.why} for each in plan.freeze
        ]
    return {**details, "phases": [_phase_details(phase) for phase in plan.phases]}


def filled(plan: RolloutPlan, salt: str, spaces: Sequence[str] = ()) -> RolloutPlan:
    """The plan as it starts: its own salt, else this one, and these spaces named.

    They join those of every phase from the first that `names_spaces` on, so that no phase takes anyone out again.

    Raises:
        UsageError: a space has no name that a node could have, or no phase of the plan is for named ones.
    """
    _check_spaces(plan, spaces)
    phases, named = [], False
    for phase in plan.phases:
        named = named or phase.names_spaces
        joined = tuple(dict.fromkeys((*phase.spaces, *spaces))) if named else phase.spaces
        phases.append(replace(phase, spaces=joined))
    return replace(plan, salt=plan.salt or salt, phases=tuple(phases))


def _check_spaces(plan: RolloutPlan, spaces: Sequence[str]) -> None:
    for space in spaces:
        if not space.strip() or not space.isprintable():
            raise UsageError(f"{space!r} cannot be the name of a space", hint="UTF-8 text that is not empty")
    if spaces and not any(phase.names_spaces for phase in plan.phases):
        raise UsageError(f"no phase of plan {plan.name} is for named spaces", hint="names_spaces: true makes it one")


def digest_of(plan: RolloutPlan) -> str:
    """SHA-256 over the plan's canonical JSON (sorted keys, no spaces), its salt included."""
    text = json.dumps(details_of(plan), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_of(details: Details) -> RolloutPlan:
    """The plan that was written so.

    Raises:
        DamagedError: it does not read as a plan (of another version, or edited and sealed again).
    """
    try:
        return RolloutPlan(
            name=str(details["name"]),
            title=str(details["title"]),
            phases=tuple(map(_phase_of, details["phases"])),
            freeze=tuple(map(_freeze_of, details.get("freeze", ()))),
            **_read(details, _SCALAR_PLAN),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as error:
        told = error.message if isinstance(error, UsageError) else repr(error)
        raise DamagedError(f"this does not read as a rollout plan: {told}") from error


def _unusual(thing: object, scalars: Mapping[str, "_Way"], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: way.write(getattr(thing, name)) for name, way in scalars.items() if getattr(thing, name) != usual[name]
    }


def _read(details: Details, scalars: Mapping[str, "_Way"]) -> dict[str, Any]:
    return {name: way.read(details[name]) for name, way in scalars.items() if name in details}


@dataclass(frozen=True, slots=True)
class _Way:
    """How one plain value is written, and read again."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _plain(kind: type) -> Callable[[Any], Any]:
    """Only the very type is taken: "no" is not False, and True is not 1."""

    def read(value: object) -> object:
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"{value!r} is no {kind.__name__}")
        if kind is float and not math.isfinite(value):  # type: ignore[arg-type]  # a number, as was just seen
            raise ValueError(f"{value!r} is no number")
        return kind(value)  # type: ignore[call-arg]  # of the same type, or a whole number for a float

    return read


_LENGTH = _Way(as_text, duration)
_FLAG = _Way(bool, _plain(bool))
_NUMBER = _Way(float, _plain(float))
_COUNT = _Way(int, _plain(int))
_TEXT = _Way(str, _plain(str))
_SCALAR_PLAN = {
    "bucket": _LENGTH,
    "check_every": _LENGTH,
    "hold_back": _NUMBER,
    "approve_plan": _FLAG,
    "salt": _TEXT,
}
_SCALAR_PHASE = {
    "names_spaces": _FLAG,
    "hold": _LENGTH,
    "minimum": _LENGTH,
    "maximum": _LENGTH,
    "complaints": _COUNT,
    "complaints_roll_back": _COUNT,
    "validated": _FLAG,
    "advance": _Way(lambda value: value.value, Advance),
}
_SCALAR_TRIPWIRE = {"errors": _NUMBER, "latency_ratio": _NUMBER, "window": _LENGTH, "fewest": _COUNT}
_SCALAR_JUDGING = {"required": _FLAG, "alpha": _NUMBER}
_SCALAR_APPROVALS = {"people": _COUNT, "starter_counts": _FLAG}
_SCALAR_FRESH = {"backup": _LENGTH, "backup_level": _COUNT, "rehearsal": _LENGTH}


def _usual(kind: type) -> dict[str, Any]:
    return {each.name: each.default for each in fields(kind)}


_USUAL_PLAN, _USUAL_PHASE = _usual(RolloutPlan), _usual(Phase)


def _phase_details(phase: Phase) -> dict[str, Any]:
    why = {"why": phase.why} if phase.why else {}
    details: dict[str, Any] = {"name": phase.name, "title": phase.title, **why, "flags": dict(phase.flags)}
    if phase.settings:
        details["settings"] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in phase.settings.items()
        }
    if phase.spaces:
        details["spaces"] = list(phase.spaces)
    details["shares"] = list(phase.shares)
    details |= _unusual(phase, _SCALAR_PHASE, _USUAL_PHASE)
    if phase.criteria:
        details["criteria"] = [_question(each) for each in phase.criteria]
    if phase.triggers:
        details["triggers"] = [
            _question(each) | ({"lasting": as_text(each.lasting)} if each.lasting else {}) for each in phase.triggers
        ]
    if phase.tripwire is not None:
        details["tripwire"] = {name: way.write(getattr(phase.tripwire, name)) for name, way in _SCALAR_TRIPWIRE.items()}
    if phase.judging is not None:
        details["judging"] = _judging_details(phase.judging)
    if phase.approvals != Approvals():
        details["approvals"] = _unusual(phase.approvals, _SCALAR_APPROVALS, _usual(Approvals))
    if phase.fresh != Fresh():
        details["fresh"] = _unusual(phase.fresh, _SCALAR_FRESH, _usual(Fresh))
    return details


def _question(asked: Criterion | Trigger) -> dict[str, Any]:
    why = {"why": asked.why} if asked.why else {}
    return {"title": asked.title, "when": condition_details(asked.condition), **why}


def _judging_details(judging: Judging) -> dict[str, Any]:
    guardrails = [
        {"metric": each.metric.value, "margin": each.margin}
        | ({"harm_margin": each.harm_margin} if each.harm_margin else {})
        for each in judging.guardrails
    ]
    unusual = _unusual(judging, _SCALAR_JUDGING, _usual(Judging))
    return {"look_every": as_text(judging.look_every), **unusual, "guardrails": guardrails}


def _phase_of(details: Details) -> Phase:
    return Phase(
        name=str(details["name"]),
        title=str(details["title"]),
        why=str(details.get("why", "")),
        flags={key: _FLAG.read(checked(setting_of(key), value)) for key, value in details["flags"].items()},
        settings=_settings_of(details.get("settings", {})),
        spaces=tuple(map(_TEXT.read, details.get("spaces", ()))),
        shares=tuple(map(_NUMBER.read, details.get("shares", (0.0,)))),
        criteria=tuple(
            Criterion(str(each["title"]), condition_of(each["when"]), str(each.get("why", "")))
            for each in details.get("criteria", ())
        ),
        triggers=tuple(map(_trigger_of, details.get("triggers", ()))),
        tripwire=Tripwire(**_read(details["tripwire"], _SCALAR_TRIPWIRE)) if "tripwire" in details else None,
        judging=_judging_of(details["judging"]) if "judging" in details else None,
        approvals=Approvals(**_read(details.get("approvals", {}), _SCALAR_APPROVALS)),
        fresh=Fresh(**_read(details.get("fresh", {}), _SCALAR_FRESH)),
        **_read(details, _SCALAR_PHASE),
    )


def _settings_of(details: Details) -> Settings:
    return {key: checked(setting_of(key), value) for key, value in details.items()}


def _trigger_of(details: Details) -> Trigger:
    lasting = duration(details.get("lasting", "0s"))
    return Trigger(str(details["title"]), condition_of(details["when"]), lasting, str(details.get("why", "")))


def _judging_of(details: Details) -> Judging:
    guardrails = tuple(
        Guardrail(Metric(each["metric"]), _NUMBER.read(each["margin"]), _NUMBER.read(each.get("harm_margin", 0.0)))
        for each in details["guardrails"]
    )
    return Judging(guardrails, duration(details["look_every"]), **_read(details, _SCALAR_JUDGING))


def _freeze_of(details: Details) -> FreezeWindow:
    begin, end = (datetime.fromisoformat(details[key]) for key in ("begin", "end"))
    if begin.tzinfo is None or end.tzinfo is None:
        raise ValueError("a freeze window needs a zone in both its moments, such as 2026-12-20T00:00:00+00:00")
    return FreezeWindow(begin, end, str(details.get("why", "")))
