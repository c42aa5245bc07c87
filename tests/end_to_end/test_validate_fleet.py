"""`runbook validate` on real nodes with traffic: it asks, judges, journals, and tells in text, JSON and HTML."""

import json
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command, broken, kill

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

WINDOW = ("--window", "4s")


def baseline_of(fleet: Command) -> dict[str, Any]:
    """The baseline as it is kept."""
    found: dict[str, Any] = json.loads((fleet.state / "baselines" / "sandbox.json").read_bytes())
    return found


def outcomes(data: dict[str, Any]) -> dict[str, str]:
    """What came of each check."""
    return {check["name"]: check["outcome"] for check in data["checks"]}


def expected_code(data: dict[str, Any]) -> int:
    """3 where a check fails, else 4 where one is unknown."""
    found = set(outcomes(data).values())
    return 3 if "FAIL" in found else 4 if "UNKNOWN" in found else 0


def test_a_baseline_keeps_what_the_eight_checks_need(well: Command) -> None:
    """Fifty golden queries over both nodes whose answers are near to exact search, and how the nodes are."""
    latency = "typical(engram_recall_duration_seconds)"
    for _ in range(4):  # a machine may be too busy to tell how fast a node is, for a while
        found = baseline_of(well)
        if all(latency in node["reaches"] for node in found["nodes"].values()):
            break
        well("baseline", "capture")
    golden = found["golden"]
    assert len(golden["queries"]) == 50
    assert {query["node"] for query in golden["queries"]} == {"node-1", "node-2"}
    assert all(query["nearest"][0][1] == pytest.approx(1.0, abs=1e-5) for query in golden["queries"])
    assert sum(query["recall"] for query in golden["queries"]) > 42
    for node in found["nodes"].values():
        assert "engram_concept_fan_out" in node["histograms"]
        assert node["reaches"][latency] > 0


def test_a_well_fleet_fails_nothing_that_a_busy_machine_does_not_do(well: Command, tmp_path: Path) -> None:
    """Recall, concepts, memory and consolidation are as before; the page and the journal say what the document says."""
    page = tmp_path / "page.html"
    done = well.run("validate", *WINDOW, "--html", str(page), "--json")
    document = json.loads(done.stdout)
    data = document["data"]
    assert document["exit_code"] == done.returncode == expected_code(data)
    assert len(data["checks"]) == 8
    assert data["golden"]["queries"] == 50
    (recall,) = (check["parts"] for check in data["checks"] if check["name"] == "recall-quality")
    assert {part["outcome"] for part in recall if part["node"] == "fleet"} == {"PASS"}
    assert outcomes(data)["concept-coherence"] == "PASS"
    assert "FAIL" not in {outcomes(data)[name] for name in ("memory", "error-rate", "consolidation", "fan-effect")}
    text = page.read_text()
    assert data["html"] == str(page)
    assert all(f">{check['title']}<" in text for check in data["checks"])
    assert "http:" not in text
    assert "https:" not in text
    last = well.journal()[-1]
    assert last["event"] == "validated"
    assert last["details"]["whole"] is True
    assert last["details"]["checks"] == outcomes(data)
    assert last["details"]["recommendation"] == data["recommendation"]


def test_recalls_that_fail_roll_back(well: Command) -> None:
    """At the first look: what hurts users needs no second one. Golden queries that fail are no answer."""
    with broken(well, "errors"):
        data = well.json("validate", *WINDOW, expect=3)["data"]
    assert outcomes(data)["error-rate"] == "FAIL"
    assert data["recommendation"] == "roll back"
    assert data["looks"] == 1


def test_a_forgotten_text_is_no_query_any_more(well: Command) -> None:
    """It is told which, and the others are asked all the same."""
    query = next(each for each in baseline_of(well)["golden"]["queries"] if each["node"] == "node-1")
    record = json.loads((well.state / "sandbox" / "fleet.json").read_bytes())
    port = record["nodes"][0]["port"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/memories/{query['id']}?space={query['space']}",
        method="DELETE",
        headers={"Authorization": f"Bearer {well.token('node-1')}", "X-Memory-Space": query["space"]},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - as above
        assert reply.status == 200
    data = json.loads(well.run("validate", *WINDOW, "--node", "node-1", "--json").stdout)["data"]
    assert any(query["id"] in note and "forgotten" in note for note in data["notes"])
    assert any("it opens no gate" in note for note in data["notes"])
    assert data["golden"]["queries"] == 24
    assert well.journal()[-1]["details"]["whole"] is False


def test_a_disk_that_refuses_the_page_does_not_take_the_report(well: Command, tmp_path: Path) -> None:
    """16, the report on stdout and in the journal, and nothing half beside the page that was there."""
    known = len(well.journal())
    done = well("validate", "--window", "1s", "--html", str(tmp_path / "no" / "page.html"), expect=16)
    assert "Recommendation:" in done.stdout
    assert len(well.journal()) == known + 1
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_gives_the_report_so_far(
    well: Command, wait_for: Callable[[Callable[[], bool], str], None], tmp_path: Path
) -> None:
    """130, with one whole document and an entry in the journal that opens no gate."""
    known, page = len(well.journal()), tmp_path / "page.html"
    process = well.start("validate", "--watch", "10m", "--json", "--html", str(page))
    try:
        assert process.stderr is not None
        assert "soak for up to 600 s" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        kill(process)
    document = json.loads(out)
    assert document["exit_code"] == process.returncode == 130
    assert any("interrupted after" in note for note in document["data"]["notes"])
    assert "interrupted after" in page.read_text()
    assert [entry["details"]["whole"] for entry in well.journal()[known:]] == [False]
    wait_for(lambda: process.poll() is not None, "it has ended")
