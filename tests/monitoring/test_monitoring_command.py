"""`runbook monitoring`: what is in step is left alone, what people own is theirs, and a refusal changes nothing."""

import json
import os
import stat
from pathlib import Path

import pytest
from promtool import checked, cut

from runbook.adapters.rollout_plans import read_plan
from runbook.cli.root import run
from runbook.model.target import Node, Target
from runbook.report.monitoring.scrape import scrape_targets

Output = pytest.CaptureFixture[str]
OURS = Path(__file__).resolve().parents[2] / "monitoring"
EXAMPLES = OURS.parent / "docs" / "examples"


def write(folder: Path, *words: str) -> int:
    """The command."""
    return run(["monitoring", "write", str(folder), *words])


def test_it_is_written_once_and_readable_by_all(tmp_path: Path, capsys: Output) -> None:
    """The second time nothing is touched; Prometheus is another user."""
    folder = tmp_path / "new" / "place"
    assert write(folder) == 0
    rules = folder / "rules" / "issues.yml"
    before = rules.stat()
    assert stat.S_IMODE(before.st_mode) & 0o444 == 0o444 & ~_umask()
    capsys.readouterr()
    assert write(folder) == 0
    assert "0 of " in capsys.readouterr().out
    assert rules.stat().st_ino == before.st_ino
    assert rules.read_bytes() == (OURS / "rules" / "issues.yml").read_bytes()


def _umask() -> int:
    old = os.umask(0o022)
    os.umask(old)
    return old


def test_check_tells_what_is_out_of_step_and_writes_nothing(tmp_path: Path, capsys: Output) -> None:
    """What differs and what is missing end with 3; an example that people changed does not."""
    assert write(tmp_path) == 0
    (tmp_path / "rules" / "nodes.yml").write_text("groups: []\n")
    (tmp_path / "rules" / "runbook.yml").unlink()
    (tmp_path / "alertmanager.yml").write_text("# mine\n")
    capsys.readouterr()
    assert write(tmp_path, "--check", "--json") == 3
    rows = {row["path"]: row["standing"] for row in json.loads(capsys.readouterr().out)["data"]["files"]}
    odd = {path: standing for path, standing in rows.items() if standing != "in step"}
    assert odd == {"rules/nodes.yml": "differs", "rules/runbook.yml": "missing", "alertmanager.yml": "kept"}
    assert (tmp_path / "rules" / "nodes.yml").read_text() == "groups: []\n"
    assert write(tmp_path) == 0
    assert (tmp_path / "alertmanager.yml").read_text() == "# mine\n"
    assert write(tmp_path, "--check") == 0


def test_whose_rules_go_is_told(tmp_path: Path, capsys: Output) -> None:
    """Before they are written, and as they are; what is in step by `--check` has nothing to write."""
    plan = tmp_path / "plan.yml"
    plan.write_text((EXAMPLES / "production_rehearsal.yml").read_text())
    name = read_plan(plan).name
    assert write(tmp_path, "--plan", "dual-memory", "--plan", str(plan)) == 0
    assert "reload Prometheus" in capsys.readouterr().out
    assert write(tmp_path, "--plan", "dual-memory", "--plan", str(plan), "--check") == 0
    assert "nothing to write" in (said := capsys.readouterr().out)
    assert "any more" not in said
    assert write(tmp_path, "--check") == 3
    assert f"would not be alerted of any more: plan {name} (" in capsys.readouterr().out
    assert write(tmp_path) == 0
    assert f"not alerted of any more: plan {name} (" in capsys.readouterr().out


def test_a_plan_that_is_none_writes_nothing(tmp_path: Path, capsys: Output) -> None:
    """The file and the line are named."""
    (tmp_path / "plan.yml").write_text("version: 1\nname: x\n")
    assert write(tmp_path / "m", "--plan", str(tmp_path / "plan.yml")) == 12
    assert write(tmp_path / "m", "--plan", "duel-memory") == 2
    assert "did you mean dual-memory" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_a_place_that_refuses_is_told(tmp_path: Path, capsys: Output) -> None:
    """A file where a folder should be; what was there stays, and no draft is left."""
    (tmp_path / "rules").write_text("mine")
    assert write(tmp_path) == 16
    assert "rules" in capsys.readouterr().err
    assert (tmp_path / "rules").read_text() == "mine"
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".draft")]


def test_addresses_of_pages_begin_as_they_are_told_to(tmp_path: Path, capsys: Output) -> None:
    """And the tests of the rules know it."""
    assert write(tmp_path, "--docs", "https://docs.example/") == 0
    capsys.readouterr()
    text = (tmp_path / "rules" / "nodes.yml").read_text()
    assert 'runbook_url: "https://docs.example/reference/alerts.md#nodedown"' in text
    told = cut(tmp_path / "rules" / "tests" / "runbook.yml", "What serve tells", until="1m")
    assert "https://docs.example/reference" in told.read_text()
    checked("promtool", "test", "rules", told)


def test_nodes_are_told_as_prometheus_scrapes_them(tmp_path: Path) -> None:
    """The scheme and a path where they are not the usual ones; and Prometheus takes the file."""
    nodes = (
        Node("one", "http://10.0.0.1:7432"),
        Node("two", "https://b.example/engram/"),
        Node("six", "http://[::1]:1"),
    )
    rows = scrape_targets(Target("prod", "production", tmp_path, nodes))
    assert [row["targets"] for row in rows] == [["10.0.0.1:7432"], ["b.example:443"], ["[::1]:1"]]
    assert rows[0]["labels"] == {"target": "prod", "node": "one"}
    assert rows[1]["labels"]["__scheme__"] == "https"
    assert rows[1]["labels"]["__metrics_path__"] == "/engram/metrics/prometheus"
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "prod.json").write_text(json.dumps(rows))
    (tmp_path / "prometheus.yml").write_bytes((OURS / "prometheus.yml").read_bytes())
    (tmp_path / "rules").symlink_to(OURS / "rules")
    assert "WARNING" not in checked("promtool", "check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=critical", "issue=memory-leak", "target=prod"), "engram-runbook"),
        (("severity=warning", "issue=node"), "engram-runbook"),
        (("severity=info", "issue=rollout"), "nobody"),
    ],
)
def test_alertmanager_sends_what_matters_to_the_webhook(labels: tuple[str, ...], receiver: str) -> None:
    """By its own routing."""
    file = f"--config.file={OURS / 'alertmanager.yml'}"
    assert checked("amtool", "config", "routes", "test", file, *labels).splitlines()[0] == receiver
