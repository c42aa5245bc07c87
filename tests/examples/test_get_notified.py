"""The examples of the page on notifications, executed: each receiver is configured as it says, and told."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peers import Peer, http

from runbook.cli.root import run

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "get-notified.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
TABLES = [text for kind, text in BLOCKS if kind == "toml"]
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.startswith("runbook ")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the configuration, and a state folder."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))
    return tmp_path


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Stands for Slack, PagerDuty and the pager."""
    with Peer(lambda _: http("ok")) as found:
        yield found


def configured(folder: Path, peer: Peer, table: str) -> str:
    """The example, with the files that it names; its URL is the peer's. The receiver's name."""
    ((name, said),) = tomllib.loads(table)["notify"].items()
    files = [value for key, value in said.items() if key.endswith("_file")] + [*said.get("header_files", {}).values()]
    for file in files:
        (folder / file).touch(0o600)
        (folder / file).write_text(f"{peer.url}/services/T0/B0/x" if file.endswith(".url") else "k" * 32)
    if "url" in said:
        table = table.replace(said["url"], peer.url + "/v2/enqueue")
    (folder / "pager.json").write_text(next(text for kind, text in BLOCKS if kind == "json"))
    (folder / "runbook.toml").write_text("version = 1\n" + table)
    return str(name)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.split("]")[0].split(".")[-1])
def test_each_receiver_is_told_in_its_own_words(folder: Path, peer: Peer, table: str) -> None:
    """With `runbook notify test`, as the page says; the bodies are those that the receivers document."""
    name = configured(folder, peer, table)
    for command in COMMANDS:
        assert run(command.split()[1:]) == 0
    (request,) = peer.requests
    body: dict[str, Any] = request.json
    match name:
        case "team":
            assert request.path == "/services/T0/B0/x"
            assert "this is a test" in body["text"]
            assert [each["type"] for each in body["blocks"]] == ["header", "section", "context"]
        case "oncall":
            assert (body["routing_key"], body["event_action"]) == ("k" * 32, "resolve")
            assert {"summary", "source", "severity"} <= set(body["payload"])
        case "pager":
            assert (body["channel"], body["priority"]) == ("#rollouts", "low")
            assert request.headers["authorization"] == "Bearer " + "k" * 32
            assert request.headers["x-tenant"] == "k" * 32
        case _:
            pytest.fail(f"nothing is expected of {name}: {json.dumps(body)}")


def test_the_page_has_an_example_of_each() -> None:
    """Slack, PagerDuty, one's own."""
    assert len(TABLES) == 3
    assert COMMANDS == ["runbook notify test", "runbook notify status"]
