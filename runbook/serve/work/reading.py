"""What a child said, as far as the journal needs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.model.answer import Answer
from runbook.serve.work.child import Ended

_MOST_NODES = 20
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """The answers by incident, the most evidence first; on which nodes each is present; or why there are none."""

    code: int | None
    answers: Mapping[str, Answer]
    nodes: Mapping[str, tuple[str, ...]]
    why: str


@dataclass(frozen=True, slots=True)
class Acted:
    """The run, where there is one, how it ended in the command's own word, and what went wrong, if anything did."""

    code: int | None
    run: str
    status: str
    why: str


def diagnosed(ended: Ended) -> Diagnosed:
    """What `runbook diagnose --json` said."""
    data = _data(ended)
    try:
        issues = data["issues"] if data else []
        answers = {str(each["issue"]): Answer(each["present"]) for each in issues}
        nodes = {
            str(each["issue"]): tuple(
                str(node["node"]) for node in each["nodes"] if node["present"] == Answer.YES.value
            )[:_MOST_NODES]
            for each in issues
        }
    except (KeyError, TypeError, ValueError):
        return Diagnosed(ended.code, {}, {}, "its answer was not understood")
    return Diagnosed(ended.code, answers, nodes, "" if answers else _why(ended))


def acted(ended: Ended) -> Acted:
    """What `runbook ISSUE --act --json` said."""
    run = (_data(ended) or {}).get("run") or {}
    error = _error(ended)
    said = run.get("id") or error.get("run") or ""
    return Acted(ended.code, str(said), str(run.get("status", "")), "" if run else _why(ended))


def _data(ended: Ended) -> dict[str, Any] | None:
    try:
        found = json.loads(ended.out)["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _error(ended: Ended) -> dict[str, Any]:
    """The error object on stderr: its last line that is one."""
    for line in reversed(ended.err.splitlines()):
        try:
            found = json.loads(line)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _why(ended: Ended) -> str:
    if ended.code is None:
        return "it was told to end, and left to do so"
    if ended.late:
        return "it took too long and was ended"
    told = str(_error(ended).get("message") or ended.err.strip().rpartition("\n")[2])
    return told[:_LONGEST]
