"""The journal: its entries, newest first, page by page; and one as it is."""

import re
import shlex
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from runbook.model.journal import Event
from runbook.serve.console.pages import Content
from runbook.serve.console.query import choice, number, word
from runbook.serve.console.source import Source
from runbook.serve.console.standing import found_data

PAGE = 50
_EVENTS = tuple(each.value for each in Event)
_MOST_FACTS = 6
_SEQ = r"[0-9]{1,12}"


def journal(source: Source, request: Request) -> Content:
    """Entries with a number below `below`, of that `event` and of that `run`, newest first."""
    query = request.query_params
    below, run, event = number(query, "below"), word(query, "run"), choice(query, "event", _EVENTS)
    found = source.journal.newest(PAGE + 1, event=None if event is None else Event(event), run=run, below=below)
    shown = found[:PAGE]
    data = {
        "lines": [_line(found_data(each)) for each in shown],
        "event": event,
        "run": run,
        "below": below,
        "older": shown[-1].seq if len(found) > PAGE else None,
        "events": _EVENTS,
    }
    command = "runbook audit show" + (f" --run {shlex.quote(run)}" if run else f" --last {PAGE}")
    return Content("journal.html", "Journal", command, data)


def _line(told: dict[str, Any]) -> dict[str, Any]:
    """With its single facts in front, and what is nested only by its size."""
    details = told.get("details", {})
    facts = []
    for name, value in list(details.items())[:_MOST_FACTS]:
        nested = isinstance(value, dict | list)
        facts.append({"name": name, "value": f"({len(value)})" if nested else _fact(value)})
    return {**{name: each for name, each in told.items() if name != "details"}, "facts": facts}


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def entry(source: Source, request: Request) -> Content:
    """One entry as it is.

    Raises:
        HTTPException: there is none of that number (404).
    """
    said = request.path_params["seq"]  # not an `int` of the route: Python refuses one of thousands of digits
    found = source.journal.entry(int(said)) if re.fullmatch(_SEQ, said) else None
    if found is None:
        raise HTTPException(404, "The journal has no entry of that number.")
    try:
        whole = orjson.loads(found.raw)
    except orjson.JSONDecodeError:
        whole = found.raw.decode("utf-8", "replace")
    last = source.journal.newest(1)
    data = {
        "seq": found.seq,
        "entry": whole,
        "trouble": found.trouble,
        "event": "" if found.entry is None else found.entry.event.value,
        "run": "" if found.entry is None else found.entry.run,
        "kind": _kind(source, "" if found.entry is None else found.entry.run),
        "newest": last[0].seq if last else found.seq,
    }
    return Content("entry.html", f"Entry {found.seq}", "runbook audit show --json", data)


def _kind(source: Source, run: str) -> str:
    """Has that id a page of its own, and which?"""
    if run and source.journal.run(run) is not None:
        return "runs"
    return "rollout" if run and source.journal.rollout(run) is not None else ""
