"""Runs: all of them, page by page, newest first; and one with its steps, and the commands to go on or to undo it."""

import shlex
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from runbook.model.run import WAY_BACK, Run, RunStatus, StepProgress, StepState
from runbook.serve.console.pages import Content
from runbook.serve.console.query import choice, number, word
from runbook.serve.console.source import Source
from runbook.serve.console.standing import run_data

PAGE = 50
MOST_LOOKED_THROUGH = 500
"""A filter by target looks through so many runs for one page, and says how far it came."""
_STATES = {
    StepState.DONE: "PASS",
    StepState.UNDONE: "plain",
    StepState.PENDING: "plain",
    StepState.FAILED: "FAIL",
    StepState.UNDO_FAILED: "FAIL",
}


def runs(source: Source, request: Request) -> Content:
    """One page of them: `below` is the number of the run that it ends before, `show` `unsettled` or all."""
    below, show = number(request.query_params, "below"), choice(request.query_params, "show", ("all", "unsettled"))
    target = word(request.query_params, "target")
    known = list(source.journal.unsettled()) if show == "unsettled" else source.journal.runs()
    end = len(known) if below is None else min(below - 1, len(known))
    found: list[dict[str, Any]] = []
    at = end
    while at > max(0, end - MOST_LOOKED_THROUGH) and len(found) < PAGE:
        at -= 1
        run = source.journal.run(known[at])
        if run is not None and target in {None, run.plan.target}:
            found.append(run_data(run))
    data = {
        "runs": found,
        "all": len(known),
        "first": at + 1,
        "last": end,
        "older": at + 1 if at else None,
        "newer": None if end >= len(known) else min(end + PAGE, len(known)) + 1,
        "show": show or "all",
        "target": target,
        "targets": sorted(source.targets()),
    }
    return Content("runs.html", "Runs", "runbook runs", data)


def run(source: Source, request: Request) -> Content:
    """One run.

    Raises:
        HTTPException: there is none of that id (404).
    """
    found = source.journal.run(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "The journal knows no such run.")
    approval = found.approval
    data = {
        "run": run_data(found),
        "undoes": found.plan.undoes,
        "steps": [_step(each) for each in found.steps],
        "commands": _commands(found),
        "approval": None
        if approval is None
        else {
            "risk": approval.risk.name.lower(),
            "why": list(approval.why),
            "asked_by": approval.asked.who,
            "given_by": None if approval.given is None else approval.given.who,
        },
    }
    return Content("run.html", f"Run {found.plan.id}", f"runbook audit show --run {shlex.quote(found.plan.id)}", data)


def _step(progress: StepProgress) -> dict[str, Any]:
    step = progress.step
    messages = dict(progress.messages)
    return {
        "index": step.index,
        "title": step.title,
        "play": step.do,
        "state": progress.state.value,
        "tone": _STATES.get(progress.state, "UNKNOWN"),
        "changes": [
            {
                "node": each.node,
                "key": each.key,
                "old": _plain(each.old),
                "new": _plain(each.new),
                "changed": each.node in progress.changed,
                "message": messages.get(each.node, ""),
            }
            for each in step.changes
        ],
        "messages": [
            {"node": node, "message": message}
            for node, message in progress.messages
            if node not in {each.node for each in step.changes}
        ],
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _commands(found: Run) -> list[dict[str, str]]:
    """What a person can do about it now, as commands of a terminal."""
    run_id, plan = shlex.quote(found.plan.id), found.plan
    if found.status is RunStatus.WAITING:
        return [
            {"why": "to say yes, as a second person", "command": f"runbook approve {run_id}"},
            {"why": "to withdraw it", "command": f"runbook undo {run_id}"},
        ]
    told = []
    if found.resumable:
        told.append({"why": "to go on with it", "command": f"runbook resume {run_id}"})
    elif found.is_brake and found.status in {RunStatus.OPEN, RunStatus.PARTIAL}:
        told.append(
            {"why": "to give it again", "command": f"runbook {plan.command} --target {shlex.quote(plan.target)}"}
        )
    if found.applied and not found.undone_by and plan.issue != WAY_BACK:
        told.append({"why": "to put the old values back", "command": f"runbook undo {run_id}"})
    return told
