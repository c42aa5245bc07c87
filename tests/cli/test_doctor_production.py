"""What `runbook doctor` says of server, rules and watch: what is missing in production is BAD, and has a hint."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Output, document
from peers import Peer, Request, http

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.cli.compose import session
from runbook.cli.doctor_production import WANTED
from runbook.cli.rollout.watched import watched
from runbook.errors import RunbookError
from runbook.material import folder
from runbook.model.heartbeat import Heartbeat


def answering(*alerts: str) -> Peer:
    """A Prometheus that has loaded these, and a server that is up, in one."""
    rules = [{"name": name, "type": "alerting"} for name in alerts]
    loaded = {"status": "success", "data": {"groups": [{"name": "any", "rules": rules}]}}

    def answer(request: Request) -> bytes:
        return http(loaded if "/api/v1/rules" in request.path else "up\n")

    return Peer(answer)


@pytest.fixture
def around(target: Path) -> Iterator[Peer]:
    """`prod` is watched by a Prometheus, and alerts go to a server; the token is there."""
    with answering(*WANTED) as peer:
        place = target / "runbook.toml"
        text = place.read_text().replace('"prod.yml"\n', f'"prod.yml"\nprometheus = "{peer.url}"\n')
        place.write_text(f'{text}[serve]\nport = {peer.port}\nwebhook_token_file = "hook.token"\n')
        (target / "hook.token").write_text("a-token-of-the-tests\n")
        (target / "hook.token").chmod(0o600)
        yield peer


def checks(capsys: Output, expect: int = 0) -> dict[str, tuple[bool, str]]:
    """What is good and what is not, by name, with what was found and the hint."""
    found = document(capsys, "doctor", expect=expect)["data"]["checks"]
    return {each["name"]: (each["good"], f"{each['found']} {each['hint']}") for each in found}


def test_what_is_there_is_good(around: Peer, capsys: Output) -> None:
    """The server answers, and Prometheus has the alerts; each was asked once."""
    found = checks(capsys)
    assert found["server"][0]
    assert found["alert rules"] == (True, f"{len(WANTED)} alerts are loaded at {around.url} ")
    assert sorted(each.path for each in around.requests) == ["/api/v1/rules?type=alert", "/health"]
    assert "watch" not in found  # no rollout is under way


def test_what_is_missing_is_named(around: Peer, capsys: Output) -> None:
    """Rules that are not loaded, a server that is another program, a Prometheus that is none."""
    around.answer = lambda _: http({"status": "success", "data": {"groups": []}})
    found = checks(capsys, expect=3)
    assert not found["alert rules"][0]
    assert "NodeDown" in found["alert rules"][1]
    assert "runbook monitoring write" in found["alert rules"][1]
    assert found["server"][1].startswith(f"{around.url}: something else answers there")
    around.answer = lambda _: http("<html>", "404 Not Found")
    assert not checks(capsys, expect=3)["alert rules"][0]


def test_nobody_is_asked_where_nothing_was_set_up(target: Path, capsys: Output) -> None:
    """Without `[serve]` and without Prometheus there is nothing to miss."""
    assert not {"server", "alert rules", "watch"} & checks(capsys).keys()


def test_the_wanted_alerts_are_among_those_that_are_written() -> None:
    """By name, in the rules that `runbook monitoring write` brings."""
    written = "".join(path.read_text() for path in (folder("monitoring") / "rules").glob("*.yml"))
    for name in WANTED:
        assert f"- alert: {name}\n" in written


def test_a_rollout_that_nobody_watches_is_told(state: Path) -> None:
    """Never, of another rollout, too long ago; a timer's watch, which ended just now, is one."""
    now = datetime.now(UTC)
    sign = Heartbeat(
        "prod", "r1", "canary", "canary 1 %", "running", 0.01, timedelta(minutes=1), now, 1, "here", 1, "", 0, "once"
    )
    state.mkdir(mode=0o700)
    kept = FileHeartbeats(state)
    with pytest.raises(RunbookError, match="nobody has watched it yet"):
        watched(session(), "prod", "r1")
    kept.beat(sign)
    assert "canary" in watched(session(), "prod", "r1")
    with pytest.raises(RunbookError, match="nobody has watched it yet"):
        watched(session(), "prod", "r2")
    for apart in (timedelta(hours=-1), timedelta(hours=1)):  # the clock was set back since
        kept.beat(replace(sign, seen=now + apart))
        with pytest.raises(RunbookError, match="was last watched at"):
            watched(session(), "prod", "r1")
        assert replace(sign, seen=now + apart, ended="").overdue(now)


def test_a_watch_that_was_killed_is_told_at_once(state: Path) -> None:
    """Its process is gone and left no word, on this machine; that of another machine cannot be asked for."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    current, now = session(), datetime.now(UTC)
    sign = Heartbeat(
        "prod", "r1", "canary", "canary", "running", 0.01, timedelta(minutes=1), now, ended.pid, current.where, 1, "", 0
    )
    state.mkdir(mode=0o700)
    FileHeartbeats(state).beat(sign)
    with pytest.raises(RunbookError, match=f"process {ended.pid}, was killed"):
        watched(current, "prod", "r1")
    FileHeartbeats(state).beat(replace(sign, process=os.getpid()))
    assert "canary" in watched(current, "prod", "r1")
    FileHeartbeats(state).beat(replace(sign, machine="elsewhere"))
    assert "canary" in watched(current, "prod", "r1")


def test_a_full_disk_under_the_state_folder_is_told(
    around: Peer, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be written, and takes nothing: every run would be refused with 16."""
    full = os.statvfs_result((4096, 4096, 100, 0, 0, 10, 1, 1, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    good, told = checks(capsys, expect=3)["state folder"]
    assert (good, "no space is left on the disk" in told) == (False, True)
