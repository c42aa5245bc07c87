"""Results as JSON, valid against the schema that is published."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from runbook.engine.apply import StepResult
from runbook.engine.carry import Carried
from runbook.engine.watch import Watched
from runbook.errors import MEANINGS, ExitCode
from runbook.issues.high_formation_rate import RUNBOOK, SAMPLE_RATE
from runbook.material import schema
from runbook.model.answer import Answer
from runbook.model.finding import Change, Diagnosis, Finding, NodeDiagnosis, Plan, PlannedStep, Skipped
from runbook.model.measurement import Baseline, NodeBaseline, Silence
from runbook.model.play import HostResult, HostState
from runbook.model.run import Run, RunPlan, RunStatus, RunStep, StepProgress, StepState
from runbook.model.settings import defaults
from runbook.report.document import baseline_data, carried_data, diagnosis_data, envelope, run_data

CHANGE = Change("a", SAMPLE_RATE, 0.5, 0.05)
STEP = RunStep(1, "Sample fewer concepts", "set_config", "restore_config", SAMPLE_RATE, (CHANGE,))
RUN_PLAN = RunPlan("run-1", "high-formation-rate --act", RUNBOOK.slug, "fleet", "", (STEP,), 60.0)
FINDINGS = (
    Finding("a", "Spikes", Answer.YES, "412 > 60.0", "scrape", 412.0, 60.0),
    Finding("a", "Grows", Answer.UNKNOWN, "no data: refused", "scrape"),
    Finding("a", "Is set", Answer.NO, "x = true", "node", value=True, limit="y"),
)
NODES = (
    NodeDiagnosis("a", Answer.YES, FINDINGS, FINDINGS[1:]),
    NodeDiagnosis("b", Answer.UNKNOWN, FINDINGS, (), Silence("b", "refused")),
)
PLAN = Plan(
    RUNBOOK.slug, (PlannedStep(2, RUNBOOK.steps[1], (CHANGE,), (Skipped(RUNBOOK.steps[1].title, "b", "unknown"),)),)
)
DIAGNOSIS = diagnosis_data(Diagnosis(RUNBOOK.slug, "fleet", "scrape", 10.0, NODES), PLAN)
WATCHED = Watched(Answer.NO, FINDINGS, 60.0123456, 20.0)
HOSTS = tuple(HostResult(state.name.lower(), state, 0.5, None, "said") for state in HostState)
STATES = tuple(StepProgress(STEP, state, ("a",)) for state in StepState)


def valid(document: dict[str, Any]) -> dict[str, Any]:
    """The document as automation reads it, checked against the schema."""
    through: dict[str, Any] = orjson.loads(orjson.dumps(document))
    Draft202012Validator(schema("report.v1")).validate(through)
    return through


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_has_a_meaning_in_the_envelope(code: ExitCode) -> None:
    """The same number that the process returns."""
    document = valid(envelope("runs", "runbook runs", code, {"runs": []}))
    assert document["exit_code"] == code
    assert document["meaning"] == MEANINGS[code]


def test_a_diagnosis_is_valid_and_whole() -> None:
    """Every answer with its arithmetic, every silence with its reason, the plan with old and new."""
    document = valid(envelope("diagnosis", "runbook high-formation-rate", ExitCode.BAD_NEWS, DIAGNOSIS))
    first, second = document["data"]["nodes"]
    assert [found["answer"] for found in first["symptoms"]] == ["YES", "UNKNOWN", "NO"]
    assert first["silence"] is None
    assert second["silence"] == "refused"
    assert document["data"]["present"] == "YES"
    assert document["data"]["baseline"] is None
    assert document["data"]["plan"][0]["changes"] == [{"node": "a", "old": 0.5, "new": 0.05}]
    assert document["data"]["plan"][0]["skipped"] == [{"node": "b", "reason": "unknown"}]


@pytest.mark.parametrize("status", RunStatus)
@pytest.mark.parametrize("watched", [None, WATCHED], ids=["unwatched", "watched"])
def test_a_run_is_valid_in_every_status_with_hosts_in_every_state(status: RunStatus, watched: Watched | None) -> None:
    """Alone, and with the diagnosis that it acted on."""
    result = StepResult(STEP, HOSTS)
    carried = Carried(RUN_PLAN, status, (result,), (StepResult(STEP, HOSTS[:2], undone=True),), watched)
    data = carried_data(carried, ("do this",))
    document = valid(envelope("run", "runbook resume", status.exit_code, {"run": data}))
    assert document["data"]["run"]["status"] == status.value
    assert document["data"]["run"]["steps"][0]["done"] is False
    assert document["data"]["run"]["put_back"][0]["done"] is True
    assert (document["data"]["run"]["watch"] is None) == (watched is None)
    valid(envelope("incident", "runbook x --act", status.exit_code, DIAGNOSIS | {"run": data}))


@pytest.mark.parametrize("ended", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_listed_run_is_valid_with_steps_in_every_state(ended: datetime | None) -> None:
    """Ended or not."""
    begun = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    run = Run(RUN_PLAN, "anna", "bastion", begun, STATES, RunStatus.OPEN, ended, "run-2")
    document = valid(envelope("runs", "runbook runs", ExitCode.DONE, {"runs": [run_data(run)]}))
    (found,) = document["data"]["runs"]
    assert [step["state"] for step in found["steps"]] == [state.value for state in StepState]
    assert found["undone_by"] == "run-2"
    assert found["resumable"] is False
    assert (found["ended_at"] is None) == (ended is None)


def test_a_baseline_is_valid_with_settings_of_every_type() -> None:
    """And with the nodes that are missing from it."""
    nodes = {"a": NodeBaseline({"rate": 12.5}, defaults() | {"dual_memory.treatment_spaces": ("x", "y")})}
    baseline = Baseline("fleet", datetime(2026, 1, 1, tzinfo=UTC), 10.0, nodes)
    data = baseline_data(baseline, [Silence("b", "refused")], "/state/fleet.json")
    document = valid(envelope("baseline", "runbook baseline capture", ExitCode.PARTIAL, data))
    assert document["data"]["nodes"]["a"]["settings"]["dual_memory.treatment_spaces"] == ["x", "y"]
    assert document["data"]["silent"] == [{"node": "b", "reason": "refused"}]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("kind"),
        lambda document: document.update(kind="gossip"),
        lambda document: document.update(exit_code="three"),
        lambda document: document["data"].update(present="MAYBE"),
        lambda document: document["data"]["nodes"][0]["symptoms"][0].update(answer=True),
        lambda document: document["data"].pop("plan"),
    ],
)
def test_the_schema_refuses_what_is_no_report(spoil: Any) -> None:
    """Else validating would prove nothing."""
    document = valid(envelope("diagnosis", "runbook x", ExitCode.BAD_NEWS, DIAGNOSIS))
    spoil(document)
    assert not Draft202012Validator(schema("report.v1")).is_valid(document)
