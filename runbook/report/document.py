"""Results as JSON, in the shape of `schemas/report.v1.schema.json`: one envelope, one kind of data per command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook.errors import MEANINGS
from runbook.report.looks import evidence_data, growth_data, reviewed_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runbook.engine.apply import StepResult
    from runbook.engine.carry import Carried
    from runbook.errors import ExitCode
    from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis, Plan
    from runbook.model.measurement import Baseline, Silence
    from runbook.model.run import Approval, Run, StepProgress
    from runbook.model.validation_golden import Golden


def envelope(kind: str, command: str, exit_code: ExitCode, data: Mapping[str, Any]) -> dict[str, Any]:
    """The document that `--json` prints."""
    return {
        "version": 1,
        "kind": kind,
        "command": command,
        "exit_code": int(exit_code),
        "meaning": MEANINGS[exit_code],
        "data": dict(data),
    }


def diagnosis_data(diagnosis: Diagnosis, plan: Plan) -> dict[str, Any]:
    """What was asked and answered, and what would be done."""
    return {
        "issue": diagnosis.issue,
        "target": diagnosis.target,
        "present": diagnosis.present.value,
        "source": diagnosis.source,
        "window_seconds": diagnosis.window_seconds,
        "baseline": diagnosis.baseline or None,
        "nodes": [node_data(node) for node in diagnosis.nodes],
        "plan": _plan(plan),
    }


def node_data(node: NodeDiagnosis) -> dict[str, Any]:
    """Every answer of one node."""
    return {
        "node": node.node,
        "present": node.present.value,
        "silence": None if node.silence is None else node.silence.reason,
        "symptoms": [finding_data(finding) for finding in node.symptoms],
        "checks": [finding_data(finding) for finding in node.checks],
        "grows": growth_data(node.grows),
        "concepts": reviewed_data(node.reviewed),
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """One answer with its arithmetic."""
    return {
        "node": finding.node,
        "question": finding.question,
        "answer": finding.answer.value,
        "arithmetic": finding.arithmetic,
        "source": finding.source,
        "value": finding.value,
        "limit": finding.limit,
    }


def _plan(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "index": planned.index,
            "title": planned.step.title,
            "playbook": planned.step.do.playbook,
            "undo": planned.step.undo.playbook,
            "key": planned.step.do.key,
            "risk": planned.step.risk.name.lower(),
            "emergency": planned.step.emergency,
            "why": planned.step.why,
            "changes": [{"node": each.node, "old": each.old, "new": each.new} for each in planned.changes],
            "skipped": [{"node": each.node, "reason": each.reason} for each in planned.skipped],
        }
        for planned in plan.steps
    ]


def carried_data(carried: Carried, next_steps: Iterable[str]) -> dict[str, Any]:
    """How a run went."""
    watched = carried.watched
    return {
        "id": carried.plan.id,
        "command": carried.plan.command,
        "target": carried.plan.target,
        "reason": carried.plan.reason,
        "status": carried.status.value,
        "steps": [_result(result) for result in carried.results],
        "put_back": [_result(result) for result in carried.undo_results],
        "evidence": evidence_data(carried.evidence),
        "watch": None
        if watched is None
        else {
            "answer": watched.answer.value,
            "seconds": round(watched.seconds, 3),
            "hold_seconds": watched.held_seconds,
            "findings": [finding_data(finding) for finding in watched.findings],
        },
        "next": list(next_steps),
    }


def _result(result: StepResult) -> dict[str, Any]:
    return {
        "index": result.step.index,
        "title": result.step.title,
        "key": result.step.key,
        "done": result.done,
        "hosts": [
            {
                "host": host.host,
                "state": host.state.value,
                "old": host.old,
                "read_back": host.read_back,
                "message": host.message,
            }
            for host in result.hosts
        ],
    }


def run_data(run: Run) -> dict[str, Any]:
    """One run as the journal tells it."""
    return {
        "id": run.plan.id,
        "command": run.plan.command,
        "issue": run.plan.issue,
        "target": run.plan.target,
        "reason": run.plan.reason,
        "who": run.who,
        "where": run.where,
        "started_at": run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "status": run.status.value,
        "resumable": run.resumable,
        "undoes": run.plan.undoes or None,
        "undone_by": run.undone_by or None,
        "approval": None if run.approval is None else _approval(run.approval),
        "steps": [_progress(progress) for progress in run.steps],
    }


def _approval(approval: Approval) -> dict[str, Any]:
    given = approval.given
    return {
        "risk": approval.risk.name.lower(),
        "why": list(approval.why),
        "seconds": approval.seconds,
        "asked_by": approval.asked.who,
        "asked_at": approval.asked.at.isoformat(),
        "given_by": None if given is None else given.who,
        "given_at": None if given is None else given.at.isoformat(),
        "digest": approval.digest or None,
    }


def _progress(progress: StepProgress) -> dict[str, Any]:
    return {
        "index": progress.step.index,
        "title": progress.step.title,
        "key": progress.step.key,
        "state": progress.state.value,
        "changes": [{"node": each.node, "old": each.old, "new": each.new} for each in progress.step.changes],
        "changed": list(progress.changed),
    }


def baseline_data(baseline: Baseline, silent: Iterable[Silence], path: str) -> dict[str, Any]:
    """A baseline, where it is kept, and the nodes that are missing from it."""
    return {
        "target": baseline.target,
        "captured_at": baseline.captured_at.isoformat(),
        "window_seconds": baseline.window_seconds,
        "path": path,
        "nodes": {
            name: {
                "quantities": dict(node.quantities),
                "reaches": dict(node.reaches),
                "settings": dict(node.settings),
            }
            for name, node in baseline.nodes.items()
        },
        "golden": None if baseline.golden is None else _golden(baseline.golden),
        "silent": [{"node": each.node, "reason": each.reason} for each in silent],
    }


def _golden(golden: Golden) -> dict[str, Any]:
    return {
        "queries": len(golden.queries),
        "recall": sum(each.recall for each in golden.queries) / max(len(golden.queries), 1),
        "read_bytes": golden.read_bytes,
        "seconds": round(golden.seconds, 3),
        "missing": dict(golden.missing),
    }
