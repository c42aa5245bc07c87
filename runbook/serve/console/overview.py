"""The first page: what needs a person, then each target."""

import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from runbook.model.journal import Event
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import RunStatus
from runbook.serve.console.alerts import newest_alerts
from runbook.serve.console.gates import gates_data
from runbook.serve.console.pages import Content
from runbook.serve.console.rollouts import looks_of, newest_of
from runbook.serve.console.source import Source
from runbook.serve.console.standing import journal_data, rollout_data, run_data, watch_data
from runbook.serve.console.validator import validation_data

MOST_RUNS = 50
MOST_ALERTS = 5
LATELY = timedelta(days=1)
_PERSON = {
    RunStatus.PERSON_NEEDED: ("FAIL", "needs a person now", "undo"),
    RunStatus.PARTIAL: ("UNKNOWN", "did not finish everywhere", "resume"),
    RunStatus.WAITING: ("UNKNOWN", "waits for a second person", "approve"),
}
"""Runs that do not go on by themselves: how bad that is, in which words, and the command."""


def overview(source: Source, _: Request) -> Content:
    """Everything that an engineer on call asks first."""
    runs, more = _unsettled(source)
    names = {**dict.fromkeys((run["target"] for run in runs), ""), **source.targets()}
    targets = [_target(source, name, environment, runs) for name, environment in sorted(names.items())]
    journal = journal_data(source.journal)
    targets.sort(key=lambda target: not target["needs"])
    needs = [
        *_journal_needs(journal),
        *_configuration_needs(source),
        *(need for target in targets for need in target["needs"]),
    ]
    needs.sort(key=lambda need: need["tone"] != "FAIL")
    data = {"needs": needs, "targets": targets, "more": more, "alerts": newest_alerts(source, MOST_ALERTS)}
    return Content("overview.html", "Overview", "runbook rollout status; runbook runs", data)


def _unsettled(source: Source) -> tuple[list[dict[str, Any]], int]:
    """Runs that have not settled, those that need a person first, then the newest; and how many more there are."""
    unsettled = source.journal.unsettled()
    ordered = list(reversed(unsettled))
    ordered.sort(key=lambda run: unsettled[run] is not RunStatus.PERSON_NEEDED)
    found = (source.journal.run(run) for run in ordered[:MOST_RUNS])
    runs = [run_data(run) | {"person": run.status in _PERSON} for run in found if run is not None]
    return runs, len(ordered) - len(runs)


def _target(source: Source, name: str, environment: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    rollout = newest_of(source, name)
    told = None if rollout is None else rollout_data(rollout)
    looks = [] if rollout is None else looks_of(source, rollout.id, 1)
    own = [run for run in runs if run["target"] == name]
    target = {
        "name": name,
        "environment": environment,
        "rollout": told,
        "back": rollout is not None and _lately_back(source, rollout),
        "shut": []
        if rollout is None
        else [gate for gate in gates_data(rollout, source.now()) if gate["answer"] != "YES"],
        "look": looks[0] if looks else None,
        "watch": watch_data(source.heartbeat(name), source.now(), needed=told is not None and not told["over"]),
        "validation": validation_data(source, name),
        "open": [run for run in own if not run["person"]],
        "person": [run for run in own if run["person"]],
    }
    return target | {"needs": list(_needs(target))}


def _lately_back(source: Source, rollout: Rollout) -> bool:
    """Was it taken back within a day? Then somebody has to read why."""
    if rollout.standing not in {Standing.ROLLED_BACK, Standing.ABORTED}:
        return False
    ended = source.journal.newest(1, event=Event.ROLLOUT_ENDED, run=rollout.id)
    return any(each.entry is not None and source.now() - each.entry.at < LATELY for each in ended)


def _journal_needs(journal: dict[str, Any]) -> Iterator[dict[str, str]]:
    if journal["trouble"]:
        yield _need("FAIL", f"The journal cannot be read: {journal['trouble']}", "runbook audit verify", "journal")
    if journal["damages"]:
        yield _need("FAIL", "The journal is damaged: no run can be recorded", "runbook audit verify", "journal")
    if journal["waiting"]:
        told = f"{len(journal['waiting'])} entries wait for the journal in its second place"
        yield _need("UNKNOWN", told, "runbook audit verify", "journal")


def _configuration_needs(source: Source) -> Iterator[dict[str, Any]]:
    if trouble := source.trouble():
        yield _need("UNKNOWN", f"The configuration does not read: {trouble}", "runbook doctor")


def _needs(target: dict[str, Any]) -> Iterator[dict[str, str]]:
    name, rollout, watch = target["name"], target["rollout"], target["watch"]
    for run in target["person"]:
        tone, told, verb = _PERSON[RunStatus(run["status"])]
        told = f"{name}: run {run['id']} ({run['command']}) {told}"
        way = f"runbook {verb} {shlex.quote(run['id'])}"
        if run["brake"] and verb == "resume":
            way = f"runbook {run['command']} --target {shlex.quote(name)}"  # it is not resumed, but given again
        yield _need(tone, told, way, "runs", run["id"])
    if rollout is not None and rollout["standing"] in {"reverting", "held"}:
        tone = "FAIL" if rollout["standing"] == "reverting" else "UNKNOWN"
        told = f"{name}: the rollout is {rollout['standing']}: {rollout['why']}"
        yield _need(tone, told, f"runbook rollout status --target {shlex.quote(name)}", "rollout", rollout["id"])
    if target["back"]:
        told = f"{name}: the rollout was {rollout['standing']}: {rollout['why']}"
        yield _need("UNKNOWN", told, f"runbook rollout status --target {shlex.quote(name)}", "rollout", rollout["id"])
    if rollout is not None and not rollout["over"] and watch["tone"] == "FAIL":
        told = f"{name}: nobody watches the rollout: the watch is {watch['state']}"
        yield _need("FAIL", told, f"runbook rollout watch --target {shlex.quote(name)}", "rollout", rollout["id"])


def _need(tone: str, told: str, command: str, *link: str) -> dict[str, Any]:
    return {"tone": tone, "told": told, "command": command, "link": list(link)}
