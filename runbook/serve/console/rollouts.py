"""Rollouts: which there are; where one stands; and what the comparison said at each look."""

import math
import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request

from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Rollout
from runbook.report.interval_chart import Look, interval_chart
from runbook.report.rollout_acted import next_steps
from runbook.serve.console.gates import gates_data, overdue_told
from runbook.serve.console.pages import Content
from runbook.serve.console.source import Source
from runbook.serve.console.standing import rollout_data, tone_of_answer, tone_of_verdict, watch_data

MOST_LOOKS = 200
MOST_ROLLOUTS = 50
_IN_PERCENT = 100.0


def rollouts(source: Source, _: Request) -> Content:
    """The newest rollouts, and where each of them came to."""
    newest = sorted(source.journal.rollouts(), reverse=True)[:MOST_ROLLOUTS]
    found = (source.journal.rollout(each) for each in newest)
    data = {"rollouts": [rollout_data(each) for each in found if each is not None]}
    return Content("rollouts.html", "Rollouts", "runbook rollout status", data)


def newest_of(source: Source, target: str) -> Rollout | None:
    """The newest rollout of the target, or None."""
    known = source.journal.rollouts(target)
    return source.journal.rollout(known[-1]) if known else None


def rollout(source: Source, request: Request) -> Content:
    """One rollout.

    Raises:
        HTTPException: there is none of that id (404).
    """
    found = source.journal.rollout(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "The journal knows no such rollout.")
    told = rollout_data(found)
    looks = looks_of(source, found.id, MOST_LOOKS)
    sign = source.heartbeat(found.target)
    guardrails = _by_guardrail(looks)
    data = {
        "rollout": told,
        "next": [_command(each) for each in next_steps(found)],
        "watch": watch_data(sign, source.now(), needed=not told["over"]),
        "stages": _stages(found),
        "approvals": [
            {"who": each.who, "at": each.at.isoformat(), "phase": each.phase, "reason": each.reason}
            for each in found.approved
        ],
        "notes": [
            {"who": each.who, "at": each.at.isoformat(), "complaints": each.complaints, "text": each.text}
            for each in found.notes
        ],
        "evidence": list(found.bundles),
        "checked": _answers(source, found.id, Event.ROLLOUT_CHECKED, "NO"),
        "passed": _answers(source, found.id, Event.ROLLOUT_ENTERING, "YES"),
        "gates": gates_data(found, source.now()),
        "overdue": overdue_told(found, source.now()),
        "looks": looks,
        "guardrails": guardrails,
    }
    charts = [_chart(each) for each in guardrails]
    return Content(
        "rollout.html",
        f"Rollout {found.id}",
        f"runbook rollout status --target {shlex.quote(found.target)}",
        data,
        {"charts": charts},
    )


def _command(told: str) -> dict[str, str]:
    """`to go on: runbook ...` as what it is for, and the command."""
    why, _, command = told.partition(": ")
    return {"why": why, "command": command}


def _stages(found: Rollout) -> list[dict[str, Any]]:
    """Every stage of the plan; where one was entered more than once, when it was the last time."""
    entered = {each.stage: each.at for each in found.entered}
    told = []
    for stage in found.plan.stages:
        at = entered.get(stage.number)
        state = "ahead" if at is None else "passed"
        if stage.number == found.stage:
            state = found.standing.value
        told.append(
            {
                "number": stage.number + 1,
                "name": stage.name,
                "title": stage.phase.title,
                "share": stage.share,
                "entered_at": None if at is None else at.isoformat(),
                "state": state,
                "current": stage.number == found.stage,
            }
        )
    return told


def _answers(source: Source, rollout_id: str, event: Event, good: str) -> dict[str, Any] | None:
    """What was asked when such an entry was last journaled: triggers and tripwire, or the gates of a stage."""
    for line in source.journal.newest(1, event=event, run=rollout_id):
        if line.entry is not None:
            details = original(line.entry).details
            asked = [*_list(details.get("answers")), *_list(details.get("gates"))]
            answers = [_answer(each, good) for each in asked if isinstance(each, Mapping)]
            at, stage = line.entry.at.isoformat(), str(details.get("name", ""))
            return {"at": at, "stage": stage, "answers": answers} if answers else None
    return None


def _answer(each: Mapping[str, Any], good: str) -> dict[str, str]:
    word = str(each.get("answer", ""))
    return {
        "title": str(each.get("title") or each.get("name", "")),
        "answer": word,
        "tone": tone_of_answer(word, good=good),
        "arithmetic": str(each.get("arithmetic", "")),
    }


def looks_of(source: Source, rollout_id: str, most: int) -> list[dict[str, Any]]:
    """The judge's planned looks, newest first."""
    lines = source.journal.newest(most, event=Event.ROLLOUT_JUDGED, run=rollout_id)
    return [_look(original(line.entry)) for line in lines if line.entry is not None]


def _look(entry: Entry) -> dict[str, Any]:
    details = entry.details
    judgement = details.get("judgement")
    judged = _list(judgement.get("judged")) if isinstance(judgement, Mapping) else []
    verdict = str(details.get("verdict", ""))
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "stage": str(details.get("name", "")),
        "look": _number(details.get("look")),
        "verdict": verdict,
        "tone": tone_of_verdict(verdict),
        "why": str(details.get("why", "")),
        "guardrails": [_judged(each) for each in judged if isinstance(each, Mapping)],
    }


def _judged(each: Mapping[str, Any]) -> dict[str, Any]:
    guardrail, estimate = _map(each.get("guardrail")), _map(each.get("estimate"))
    verdict = str(each.get("verdict", ""))
    return {
        "metric": str(guardrail.get("metric", "")),
        "margin": _number(guardrail.get("margin")),
        "harm_margin": _number(guardrail.get("harm_margin")),
        "verdict": verdict,
        "tone": tone_of_verdict(verdict),
        **{name: _number(estimate.get(name)) for name in ("value", "low", "high", "alpha", "look", "looks", "p_harm")},
        "method": str(estimate.get("method", "none")),
        "sentence": str(each.get("sentence", "")),
        "arithmetic": str(each.get("arithmetic", "")),
    }


def _by_guardrail(looks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Estimates and intervals over the looks of each stage, oldest look first; the newest stage first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for look in looks:
        for each in look["guardrails"]:
            key = (look["stage"], each["metric"])
            series = found.setdefault(key, {"stage": key[0], "metric": key[1], "newest": each, "looks": []})
            series["looks"].insert(0, {"at": look["at"], "seq": look["seq"], **each, "look": look["look"]})
    return list(found.values())


def _chart(series: Mapping[str, Any]) -> Markup:
    """The series as a chart, in percent (for latency) or points; its numbers are escaped there."""
    looks = [
        Look(
            number=int(each["look"] or 0),
            value=_scaled(each["value"], math.nan),
            low=_scaled(each["low"], -math.inf),
            high=_scaled(each["high"], math.inf),
            outcome=each["tone"],
        )
        for each in series["looks"]
    ]
    unit = "% slower" if series["metric"] == "latency" else "points worse"
    margin = _scaled(series["newest"]["margin"], 0.0)
    return Markup(interval_chart(f"{series['metric']} at {series['stage']}, over the looks", unit, looks, margin))  # noqa: S704 - the chart escapes whatever it is given


def _scaled(value: float | None, absent: float) -> float:
    return absent if value is None else value * _IN_PERCENT


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
