"""`--json` of every command, found by walking: one document that fits the schema of reports, or one error object."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command_line import Output, complaint, document, every_command
from jsonschema import Draft202012Validator
from running_node import RunningNode

from runbook.cli.root import run
from runbook.material import schema
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.folder import FleetFolder

SHORT = ("--window", "1s")


@pytest.fixture
def fleet(state: Path) -> Iterator[Path]:
    """Ends whatever the test started."""
    yield state
    down(FleetFolder(state))


def test_reading_commands(target: Path, capsys: Output) -> None:
    """A healthy node, before and after its baseline."""
    assert document(capsys, "high-formation-rate", *SHORT)["data"]["baseline"] is None
    for issue in ("memory-leak", "poor-recall-quality"):
        assert document(capsys, issue, *SHORT, expect=4)["data"]["baseline"] is None
    assert document(capsys, "diagnose", *SHORT, expect=4)["data"]["baseline"] is None
    assert document(capsys, "baseline", "show", expect=4)["data"] == {}
    assert document(capsys, "runs")["data"] == {"runs": []}
    assert document(capsys, "runs", "--last", expect=4)["data"] == {"runs": []}
    assert document(capsys, "audit", "show")["data"] == {"entries": []}
    assert document(capsys, "drill", "report")["data"]["drills"] == []
    assert document(capsys, "audit", "verify")["data"]["sound"]
    assert list(document(capsys, "baseline", "capture", *SHORT)["data"]["nodes"]) == ["prod-1"]
    assert list(document(capsys, "baseline", "show")["data"]["nodes"]) == ["prod-1"]
    assert document(capsys, "validate", *SHORT, expect=4)["data"]["recommendation"] == "hold"
    assert document(capsys, "high-formation-rate", *SHORT)["data"]["baseline"]
    assert document(capsys, "high-formation-rate", "--act", "--reason", "test", *SHORT)["kind"] == "diagnosis"
    entries = document(capsys, "audit", "show")["data"]["entries"]
    assert [entry["event"] for entry in entries] == ["baseline.captured", "validated"]
    assert {check["good"] for check in document(capsys, "doctor")["data"]["checks"]} == {True}
    (target / "x.md").write_text("`runbook doctor`")
    assert document(capsys, "check", "--document", str(target / "x.md"))["data"]["missing"] == []
    assert document(capsys, "backup", "list")["data"]["backups"] == []
    assert document(capsys, "backup", "create")["data"]["fresh"]
    backup = document(capsys, "backup", "verify")["data"]["proofs"][0]["backup"]["name"]
    assert document(capsys, "backup", "pin", backup)["data"]["backups"][0]["pinned"]
    assert document(capsys, "backup", "prune")["data"]["removed"] == []
    assert document(capsys, "backup", "restore", backup, "--reason", "test")["data"]["filled"]
    assert document(capsys, "abtest", "simulate", expect=4)["data"]["decides"] is None
    assert document(capsys, "notify", "status")["data"] == {"receivers": [], "broken": []}
    assert document(capsys, "notify", "deliver")["data"] == {"receivers": [], "broken": []}
    assert complaint(capsys, "notify", "test", expect=2)
    folder = str(target / "monitoring")
    assert document(capsys, "monitoring", "write", folder)["data"]["plans"] == ["dual-memory"]
    assert document(capsys, "monitoring", "scrape")["data"]["scrape"][0]["labels"]["node"] == "prod-1"
    assert document(capsys, "nodes", "--recall")["data"]["nodes"][0]["recall"]["reason"] == ""


def test_comparing(target: Path, capsys: Output) -> None:
    """Every space of a fresh node is treated, so there is nothing to compare; `test_abtest_command` has all of it."""
    assert document(capsys, "abtest", "assign", "alpha")["data"]["spaces"][0]["group"] == "treatment"
    assert document(capsys, "abtest", "report", expect=4)["data"]["judgement"]["verdict"] == "no-data"


def test_settings(target: Path, capsys: Output) -> None:
    """Those that read; `test_settings_commands` sets for real."""
    for kind, key, value in (("flags", "enabled", "false"), ("config", "semantic_weight", "0.5")):
        assert document(capsys, kind, "get")["data"]["settings"]
        assert document(capsys, kind, "set", key, value, "--dry-run")["data"]["steps"]
        assert document(capsys, kind, "history")["data"]["changes"] == []
        assert document(capsys, kind, "drift")["data"]["drifts"] == []


def test_a_rollout_that_never_was(target: Path, capsys: Output) -> None:
    """Its plan; that nothing is under way. `test_rollout_said` and others have one that is."""
    assert document(capsys, "rollout", "plan")["data"]["stages"][0]["name"] == "shadow"
    assert document(capsys, "rollout", "status", expect=4)["data"]["rollout"] is None
    for words in (
        ["approve", "--yes"],
        ["note", "--text", "x"],
        ["hold", "--reason", "x"],
        ["resume", "--yes"],
        ["report"],
    ):
        assert complaint(capsys, "rollout", *words, expect=13)
    for words in (["advance", "--yes"], ["abort", "--yes", "--reason", "x"], ["watch"]):
        assert complaint(capsys, "rollout", *words, expect=13)
    assert complaint(capsys, "rollout", "start", "--target", "gone", "--yes", "--reason", "x", expect=10)


def test_the_brake_by_hand(target: Path, capsys: Output) -> None:
    """The lines for a shell; `test_emergency_brake` pulls it for real."""
    for what in ("features", "full"):
        assert len(document(capsys, "rollback", what, "--print-curl")["data"]["curl"]) == 2  # type: ignore[arg-type]  # the schema says that it is an array
    assert document(capsys, "rollback", "full", "--target", "gone", "--yes", "--deadline", "1s", expect=10)["data"]


def test_data(target: Path, tmp_path: Path, capsys: Output) -> None:
    """Out of a node, looked at, beside what is served, and away again; `test_import_command` and others do it all."""
    path = str(tmp_path / "a.json")
    assert document(capsys, "export", "--format", "dual_memory", "-o", path)["data"]["archives"]
    assert document(capsys, "inspect", path)["data"]["level"] == 3
    assert document(capsys, "import", path, "--reason", "test")["data"]["generation"]
    assert document(capsys, "import", "--drop", "--yes", "--reason", "test")["data"]["dropped"]


def test_damage(target: Path, state: Path, capsys: Output) -> None:
    """A journal that is no journal: told by `verify`, an error everywhere else, set aside in the end."""
    state.mkdir()
    (state / "journal.jsonl").write_bytes(b"garbage\n")
    assert document(capsys, "audit", "verify", expect=12)["data"]["damage"][0]["line"] == 1
    assert complaint(capsys, "audit", "show", expect=12)["hint"]
    assert complaint(capsys, "runs", expect=12)["hint"]
    assert complaint(capsys, "baseline", "capture", *SHORT, expect=12)["hint"]
    assert document(capsys, "doctor", expect=3)
    assert document(capsys, "audit", "set-aside", "--reason", "test")["data"]["entries"]


def test_errors(target: Path, shared_node: RunningNode, capsys: Output) -> None:
    """Each condition with its own code and name."""
    assert complaint(capsys, "high-formation-rate", "--target", "gone", *SHORT, expect=10)["name"] == "unreachable"
    assert complaint(capsys, "baseline", "capture", "--target", "gone", *SHORT, expect=10)["name"] == "unreachable"
    assert complaint(capsys, "resume", "r1", expect=2)["name"] == "usage"
    assert complaint(capsys, "approve", "r1", expect=2)["name"] == "usage"
    assert complaint(capsys, "undo", "r1", expect=2)["hint"]
    assert complaint(capsys, "undo", "--nonsense", expect=2)["hint"]
    assert complaint(capsys, "audit", "set-aside", "--reason", "x", expect=13)["name"] == "refused"
    taken = urlsplit(shared_node.url).port  # `tests/serve` has what it prints while it serves
    assert complaint(capsys, "serve", "--port", str(taken), expect=10)["name"] == "unreachable"
    for words in (["inject", "latency"], ["clear"], ["load", str(target / "runbook.toml")]):
        assert complaint(capsys, "sandbox", *words, expect=2)["hint"]
    assert complaint(capsys, "sandbox", "up", "--nodes", "0", expect=2)["message"]


def test_the_sandbox(fleet: Path, tmp_path: Path, capsys: Output) -> None:
    """Every command of it, up to the end of a dead node."""
    assert document(capsys, "sandbox", "status")["data"] == {"up": False}
    assert document(capsys, "sandbox", "down")["data"] == {"processes": 0, "found": False}
    up = ("sandbox", "up", "--nodes", "1", "--episodes", "5", "--traffic", "1")
    assert not document(capsys, *up)["data"]["already_up"]
    assert document(capsys, *up)["data"]["already_up"]
    complaint(capsys, "sandbox", "up", "--nodes", "2", expect=13)
    texts = tmp_path / "texts"
    texts.write_text("one text\nanother text\n")
    assert document(capsys, "sandbox", "load", str(texts))["data"]["texts"] == 2
    assert document(capsys, "sandbox", "inject", "ignore-config", "--no-wait")["data"]["nodes"][0]["measured"] is None
    assert document(capsys, "sandbox", "clear")["data"]["cleared"] == {"node-1": ["ignore-config"]}
    complaint(capsys, "sandbox", "inject", "nonsense", expect=2)
    complaint(capsys, "sandbox", "inject", "latency", "--node", "node-9", expect=2)
    document(capsys, "sandbox", "inject", "unreachable", "--no-wait", "--param", "mode=html")
    assert not document(capsys, "sandbox", "status", expect=4)["data"]["well"]
    complaint(capsys, "high-formation-rate", *SHORT, expect=10)
    assert document(capsys, "sandbox", "down")["data"]["processes"] == 2


def test_no_command_is_forgotten() -> None:
    """Those not above need a sick node: `test_main_job` and `test_killed` validate them."""
    sick = {"runbook resume", "runbook undo", "runbook drill rollback"}
    sick |= {f"runbook migrate {each}" for each in ("revert", "finalize", "status")}  # `test_migrate`
    sick.add("runbook migrate")  # `test_migrate_offline`
    sick |= {f"runbook evidence {each}" for each in ("show", "verify")}  # `test_evidence_command`
    source = Path(__file__).read_text()
    for context in every_command():
        options = {name for each in context.command.params for name in each.opts}
        if "--json" in options and context.command_path not in sick:
            words = context.command_path.split()[1:]
            assert f'"{words[-1]}"' in source, context.command_path


@pytest.mark.parametrize(
    "kind",
    [
        "audit",
        "sandbox",
        "settings",
        "settings_set",
        "settings_drift",
        "export",
        "import",
        "inspect",
        "assignment",
        "comparison",
        "foresight",
        "rollout_plan",
        "rollout_status",
        "rollout_said",
        "rollout_report",
        "evidence",
        "bundles",
        "rollout_acted",
        "rollout_watched",
    ],
)
def test_the_schema_refuses_what_no_command_prints(kind: str) -> None:
    """The schema says what is in `data`, for these kinds too."""
    nonsense = {"version": 1, "kind": kind, "command": "x", "exit_code": 0, "meaning": "x", "data": {"nonsense": 1}}
    assert not Draft202012Validator(schema("report.v1")).is_valid(json.loads(json.dumps(nonsense)))
    assert run(["runs", "--json"]) == 0
