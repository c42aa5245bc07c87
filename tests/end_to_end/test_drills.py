"""Drills for real: on fleets of their own, two at once, one of them interrupted; nothing is left of them."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command, kill
from jsonschema import Draft202012Validator
from running_node import wait_until

from runbook.cli.scratch import PREFIX
from runbook.material import schema

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture
def production(tmp_path: Path) -> Iterator[socket.socket]:
    """What listens where the node of the default target should be; whoever connects is seen."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(0)
        host = {"engram_url": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        (tmp_path / "prod.yml").write_text(json.dumps({"all": {"hosts": {"prod-1": host}}}))
        (tmp_path / "runbook.toml").write_text(
            'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "production"\ninventory = "prod.yml"\n'
        )
        yield listener


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in a state folder of its own, with a record of somebody's sandbox in it."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    (tmp_path / "state" / "sandbox").mkdir(parents=True, mode=0o700)
    (tmp_path / "state" / "sandbox" / "fleet.json").write_text("not a drill's business")
    return Command(tmp_path / "state")


def left_behind(tmp_path: Path) -> list[str]:
    """Folders of drills, and processes that were started in one."""
    found = [str(path) for path in (tmp_path / "tmp").glob(f"{PREFIX}*")]
    for folder in Path("/proc").iterdir():
        try:
            line = (folder / "cmdline").read_bytes() if folder.name.isdecimal() else b""
        except OSError:
            continue
        if str(tmp_path / "tmp" / PREFIX).encode() in line:
            found.append(line.decode())
    return found


def start(command: Command, tmp_path: Path, *words: str) -> tuple["subprocess.Popen[str]", Path]:
    """Start a drill with production as its default target; its talk is in the file."""
    talk = tmp_path / f"{words[0]}-{words[-1]}.talk"
    with talk.open("w") as stream:
        process = subprocess.Popen(
            [*command.words, "drill", *words],
            env=command.environment | {"RUNBOOK_CONFIG": str(tmp_path / "runbook.toml")},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            text=True,
        )
    return process, talk


def reported(command: Command, *words: str, expect: int = 0) -> dict[str, Any]:
    """The training record, which fits the schema."""
    document = command.json("drill", "report", *words, expect=expect)
    Draft202012Validator(schema("report.v1")).validate(document)
    data: dict[str, Any] = document["data"]
    return data


def test_two_at_once_and_one_of_them_interrupted(command: Command, production: socket.socket, tmp_path: Path) -> None:
    """Neither disturbs the other; no process, folder, run or request to the default target comes of either."""
    whole, told = start(command, tmp_path, "high-formation-rate", "--nodes", "1", "--watch", "120s", "--json")
    cut, talk = start(command, tmp_path, "high-formation-rate", "--nodes", "1")
    wait_until(lambda: "2 of 4" in talk.read_text(), "the second drill has broken its fleet", 60)
    os.kill(cut.pid, signal.SIGINT)
    cut.communicate(timeout=60)
    assert cut.returncode == 130, talk.read_text()
    assert "to start it again: runbook drill high-formation-rate" in talk.read_text()
    assert "resume" not in talk.read_text()
    out, _ = whole.communicate(timeout=250)
    assert whole.returncode == 0, told.read_text()
    document = json.loads(out)
    Draft202012Validator(schema("report.v1")).validate(document)
    assert document["data"]["outcome"] == "passed"
    assert {phase["name"]: phase["passed"] for phase in document["data"]["phases"]} == {
        "detect": True,
        "act": True,
        "recover": True,
    }

    assert left_behind(tmp_path) == []
    with pytest.raises(BlockingIOError):
        production.accept()
    assert (command.state / "sandbox" / "fleet.json").read_text() == "not a drill's business"
    assert command.json("runs")["data"]["runs"] == []
    record = reported(command)
    assert sorted(each["outcome"] for each in record["drills"]) == ["aborted", "passed"]
    assert reported(command, "--require", "30d", expect=3)["overdue"].count("high-formation-rate") == 0
    command("audit", "verify")


def test_what_a_killed_drill_leaves_is_removed_by_the_next(
    command: Command, production: socket.socket, tmp_path: Path
) -> None:
    """A kill -9 leaves a fleet, and an open drill in the record; a second SIGTERM does not stop the clearing."""
    killed, talk = start(command, tmp_path, "high-formation-rate", "--nodes", "1")
    wait_until(lambda: "1 of 4" in talk.read_text(), "the fleet is up", 60)
    kill(killed)
    assert left_behind(tmp_path) != []
    again, talk = start(command, tmp_path, "high-formation-rate", "--nodes", "1", "--window", "6s")
    wait_until(lambda: "1 of 4" in talk.read_text(), "the next fleet is up", 60)
    assert "removing what a killed drill left" in talk.read_text()
    again.terminate()
    wait_until(lambda: "clearing up" in talk.read_text(), "it clears up")
    again.terminate()
    again.communicate(timeout=60)
    assert again.returncode == 143, talk.read_text()
    assert left_behind(tmp_path) == []
    assert [each["outcome"] for each in reported(command)["drills"]] == ["open", "aborted"]


def test_the_brake(command: Command, production: socket.socket, tmp_path: Path) -> None:
    """Off, read back, durable, and on again by the undo, each within its limit; nothing is left."""
    drill, talk = start(command, tmp_path, "rollback", "--nodes", "2", "--json")
    out, _ = drill.communicate(timeout=250)
    assert drill.returncode == 0, talk.read_text() + out
    document = json.loads(out)
    Draft202012Validator(schema("report.v1")).validate(document)
    limits = {phase["name"]: phase["limit_seconds"] for phase in document["data"]["phases"] if phase["passed"]}
    assert limits == {"off": 1.0, "verified": 3.0, "durable": 60.0, "restored": 60.0}
    assert left_behind(tmp_path) == []
    with pytest.raises(BlockingIOError):
        production.accept()
    assert "rollback" not in reported(command, "--require", "30d", expect=3)["overdue"]
