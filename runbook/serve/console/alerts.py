"""Alerts: what came in, what was asked because of it, what was done."""

from collections.abc import Mapping
from heapq import merge
from typing import Any

from starlette.requests import Request

from runbook.adapters.journal.following import Found
from runbook.model.journal import Event, original
from runbook.serve.console.pages import Content
from runbook.serve.console.query import number
from runbook.serve.console.source import Source
from runbook.serve.console.standing import entry_data, found_data, tone_of_answer
from runbook.serve.webhook.outcomes import Outcome

PAGE = 50
_SHOWN = frozenset(
    {
        *("name", "names", "firing", "target", "issue", "state", "answers", "run"),
        *("id", "fingerprint", "alerts", "diagnosis"),
    }
)
EVENTS = (
    Event.ALERT_RECEIVED,
    Event.ALERT_DIAGNOSED,
    Event.ALERT_ACTED,
    Event.WEBHOOK_REFUSED,
    Event.NOTIFICATION_FAILED,
)


def alerts(source: Source, request: Request) -> Content:
    """Entries of alerts with a number below `below`, newest first."""
    below = number(request.query_params, "below")
    found = newest_alerts(source, PAGE + 1, below)
    data = {"alerts": found[:PAGE], "below": below, "older": found[PAGE - 1]["seq"] if len(found) > PAGE else None}
    return Content("alerts.html", "Alerts", "runbook audit show", data)


def newest_alerts(source: Source, most: int, below: int | None = None) -> list[dict[str, Any]]:
    """At most so many, newest first."""
    each = (source.journal.newest(most, event=event, below=below) for event in EVENTS)
    ordered = merge(*each, key=lambda found: found.seq, reverse=True)
    return [_told(found) for found, _ in zip(ordered, range(most), strict=False)]


def _told(found: Found) -> dict[str, Any]:
    """An entry: a word for what it is, with its tone; what it is about; and the rest of what it says."""
    entry = None if found.entry is None else original(found.entry)
    told = found_data(found) if entry is None else entry_data(found.seq, entry)
    details = told.pop("details", {})
    match None if entry is None else entry.event:
        case Event.ALERT_RECEIVED:
            firing = details.get("firing") is True
            heading = _heading("firing" if firing else "resolved", "FAIL" if firing else "PASS", details.get("name"))
        case Event.ALERT_DIAGNOSED:
            heading = _heading("diagnosed", "plain", ", ".join(map(str, _list(details.get("names")))))
            heading["answers"] = [
                {"issue": str(slug), "answer": str(word), "tone": tone_of_answer(str(word), good="NO")}
                for slug, word in _map(details.get("answers")).items()
            ]
        case Event.ALERT_ACTED:
            tone = "plain" if details.get("state") in {"left", "intended"} else "UNKNOWN"
            heading = _heading(f"acted: {details.get('state', '')}", tone, details.get("issue"))
        case Event.WEBHOOK_REFUSED:
            cut = details.get("kind") == Outcome.CUT_SHORT  # these were taken
            heading = _heading("alerts left out", "UNKNOWN", "") if cut else _heading("requests refused", "plain", "")
        case Event.NOTIFICATION_FAILED:
            heading = _heading("notification failed", "UNKNOWN", "")
        case _:
            heading = _heading("?", "plain", "")
    rest = {name: value for name, value in details.items() if name not in _SHOWN and value not in (None, "", [], {})}
    return {"answers": [], **told, **heading, "target": details.get("target"), "run": details.get("run"), "rest": rest}


def _heading(word: str, tone: str, about: object) -> dict[str, Any]:
    return {"word": word, "tone": tone, "about": about or ""}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
