"""`runbook diagnose`: every known issue at once, from alerts too, again and again; and what only people can say."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import WORDS, Output, complaint, document, plain_environment
from jsonschema import Draft202012Validator
from running_node import RunningNode

from runbook.cli.issue import known_issues
from runbook.cli.root import run
from runbook.material import schema

SHORT = ("--window", "1s")
SLUGS = {issue.slug for issue in known_issues()}


def payload(*alerts: dict[str, Any]) -> str:
    """As Alertmanager's webhook sends it."""
    return json.dumps({"version": "4", "alerts": [{"status": "firing", "annotations": {}} | each for each in alerts]})


def leak(node: RunningNode, **labels: str) -> dict[str, Any]:
    """An alert on that node."""
    return {"labels": {"alertname": "MemoryLeak", "instance": f"127.0.0.1:{node.port}", **labels}}


def test_every_known_issue_is_asked_on_one_reading(target: Path, capsys: Output) -> None:
    """Ranked, each with all of its answers; without a baseline it is not known what confidence is usual."""
    data = document(capsys, "diagnose", *SHORT, expect=4)["data"]
    assert {each["issue"] for each in data["issues"]} == SLUGS
    assert data["issues"][0]["present"] == "UNKNOWN"
    assert data["present"] == "UNKNOWN"
    assert (data["alerts"], data["next"], data["target"]) == ([], None, "prod")
    for each in data["issues"]:
        (node,) = each["nodes"]
        assert node["silence"] is None
        assert all(finding["arithmetic"] for finding in (*node["symptoms"], *node["checks"]))


def test_the_text_begins_with_the_verdict_and_names_every_issue(target: Path, capsys: Output) -> None:
    """One block each."""
    assert run(["diagnose", *SHORT]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "prod: whether a known issue is present could not be told"
    assert "source scrape, window 1" in lines[1]
    assert {line[:3] for line in lines if line[:1].isdigit()} == {f"{at}. " for at in range(1, len(SLUGS) + 1)}


def test_alerts_of_a_file_are_mapped_to_issue_and_node(
    target: Path, shared_node: RunningNode, tmp_path: Path, capsys: Output
) -> None:
    """In the text first of all, and in the document; the diagnosis decides all the same. What is left out is told."""
    file = tmp_path / "alerts.json"
    file.write_text(payload(leak(shared_node), {"status": "resolved", "labels": {"alertname": "HostDown"}}))
    assert document(capsys, "diagnose", "--from", str(file), *SHORT, expect=4)["data"]["alerts"] == [
        {"name": "MemoryLeak", "firing": True, "node": "prod-1", "issue": "memory-leak"},
        {"name": "HostDown", "firing": False, "node": None, "issue": None},
    ]
    file.write_text(json.dumps(json.loads(file.read_text()) | {"truncatedAlerts": 7}))
    assert run(["diagnose", "--from", str(file), *SHORT]) == 4
    told = capsys.readouterr()
    assert "7 alerts were left out" in told.err
    first, second, *_ = told.out.splitlines()
    assert first == "firing   MemoryLeak on prod-1: runbook memory-leak"
    assert second == "resolved HostDown: no known issue; it has no runbook here"


def test_alerts_of_standard_input_name_their_target(
    target: Path, shared_node: RunningNode, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """The label `engram_target`, where all that have it agree; what the person says wins."""
    gone = payload(*(leak(shared_node, engram_target="gone") for _ in range(2)), leak(shared_node))
    for words, code in (((), 10), (("--target", "prod"), 4)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gone.encode())))
        assert run(["diagnose", "--from", "-", "--json", *words, *SHORT]) == code
        capsys.readouterr()
    both = payload(leak(shared_node, engram_target="gone"), leak(shared_node, engram_target="prod"))
    probed = payload(leak(shared_node, target="https://gone.example/health"), leak(shared_node))
    for text in (both, probed):  # `target` is what a blackbox exporter calls its URLs
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert len(document(capsys, "diagnose", "--from", "-", *SHORT, expect=4)["data"]["alerts"]) == 2


def test_what_is_no_payload_is_refused_before_anybody_is_asked(target: Path, tmp_path: Path, capsys: Output) -> None:
    """With the file and the place; never a traceback."""
    file = tmp_path / "alerts.json"
    for text, code in (("nonsense", 12), ("[5]", 12), ('{"version": "5", "alerts": []}', 17)):
        file.write_text(text)
        assert str(file) in complaint(capsys, "diagnose", "--from", str(file), *SHORT, expect=code)["message"]
    for path in (tmp_path / "missing.json", tmp_path):
        assert str(path) in complaint(capsys, "diagnose", "--from", str(path), *SHORT, expect=2)["message"]


def test_a_target_whose_nodes_are_all_dead_is_unreachable(target: Path, capsys: Output) -> None:
    """With each node's reason."""
    found = complaint(capsys, "diagnose", "--target", "gone", *SHORT, expect=10)
    assert "no node of gone answered" in found["message"]
    assert "gone-1" in found["hint"]


@pytest.mark.parametrize(
    ("said", "answer"), [((), "UNKNOWN"), (("--complaints", "5"), "YES"), (("--complaints", "0"), "NO")]
)
@pytest.mark.parametrize("command", ["poor-recall-quality", "diagnose"])
def test_complaints_are_asked_for_and_are_unknown_otherwise(
    command: str, said: tuple[str, ...], answer: str, target: Path, capsys: Output
) -> None:
    """By the incident that asks for them, and by the survey of all."""
    data = document(capsys, command, *said, *SHORT, expect=4)["data"]
    issue = next((each for each in data.get("issues", []) if each["issue"] == "poor-recall-quality"), data)
    (finding,) = [each for each in issue["nodes"][0]["symptoms"] if each["question"] == "Users complain"]
    assert (finding["answer"], finding["source"]) == (answer, "person")


@pytest.mark.parametrize("command", ["memory-leak", "high-formation-rate", "doctor"])
def test_complaints_are_no_option_of_what_does_not_ask_for_them(command: str, target: Path, capsys: Output) -> None:
    """A usage error, not a number that is silently dropped."""
    assert "--complaints" in complaint(capsys, command, "--complaints", "5", expect=2)["message"]


@pytest.mark.parametrize("odd", ["-1", "many", "1.5", ""])
def test_complaints_are_a_count(odd: str, target: Path, capsys: Output) -> None:
    """Whole and not negative."""
    assert complaint(capsys, "diagnose", "--complaints", odd, expect=2)["message"]


def watching(target: Path, state: Path, *words: str) -> subprocess.Popen[str]:
    """The real command, watching."""
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    command = [*WORDS, "diagnose", "--watch", "--every", "1s", *SHORT, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, cwd=os.sep, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def test_watching_prints_one_document_a_line_until_ctrl_c(target: Path, state: Path) -> None:
    """At once, so that a reader takes them as they come; then 130."""
    with watching(target, state, "--json") as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(2)]
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    for line in (*lines, *rest.splitlines()):
        found = json.loads(line)
        Draft202012Validator(schema("report.v1")).validate(found)
        assert (found["kind"], found["exit_code"]) == ("survey", 4)
    assert "Traceback" not in errors


def test_watching_a_fleet_that_is_dead_says_so_and_looks_again(target: Path, state: Path) -> None:
    """It may come back; on stdout there is nothing while there is nothing to tell. SIGTERM ends it as well."""
    with watching(target, state, "--json", "--target", "gone") as process:
        try:
            assert process.stderr is not None
            told: list[str] = []
            deadline = time.monotonic() + 40
            while sum("no node of gone answered" in line for line in told) < 2:
                assert time.monotonic() < deadline, told
                told.append(process.stderr.readline())
            process.terminate()
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, rest) == (143, "")
