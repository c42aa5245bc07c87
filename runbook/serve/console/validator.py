"""The production validator: its last word on each target, with the arithmetic of what did not pass."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from runbook.model.journal import Event, original
from runbook.model.validation_limits import CHECKS
from runbook.serve.console.pages import Content
from runbook.serve.console.source import Source
from runbook.serve.console.standing import tone_of_outcome, tone_of_recommendation

_TITLES = {kind.name: kind for kind in CHECKS}


def validator(source: Source, _: Request) -> Content:
    """The last validation of each target."""
    told = [{"target": name, "validation": validation_data(source, name)} for name in sorted(source.targets())]
    return Content("validator.html", "Validator", "runbook validate", {"validations": told})


def validation_data(source: Source, target: str) -> dict[str, Any] | None:
    """The last validation of that target, or None where the journal knows of none."""
    found = source.journal.last(Event.VALIDATED, target)
    if found is None or found.entry is None:
        return None
    entry = original(found.entry)
    details = entry.details
    checks, nodes = _map(details.get("checks")), details.get("nodes")
    told = details.get("arithmetic")
    lines = [str(each) for each in told] if isinstance(told, list) else []
    word = str(details.get("recommendation", ""))
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "who": f"{entry.who}@{entry.where}",
        "recommendation": word,
        "tone": tone_of_recommendation(word),
        "because": str(details.get("because", "")),
        "whole": details.get("whole") is True,
        "seconds": details.get("seconds"),
        "nodes": [str(each) for each in nodes] if isinstance(nodes, list) else [],
        "checks": [_check(str(name), str(outcome), lines) for name, outcome in checks.items()],
    }


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _check(name: str, outcome: str, lines: Sequence[str]) -> dict[str, Any]:
    kind = _TITLES.get(name)
    own = [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]
    return {
        "name": name,
        "title": name if kind is None else kind.title,
        "why": "" if kind is None else kind.why,
        "outcome": outcome,
        "tone": tone_of_outcome(outcome),
        "arithmetic": own,
    }
