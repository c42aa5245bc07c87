"""`runbook notify`, and the telling that commands start beside themselves: never waited for, never lost."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import WORDS, Output, as_process, complaint, document, plain_environment
from peers import Answer, Peer, Request, hang, http
from running_node import wait_until

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.locks import FileLocks
from runbook.cli.compose import session
from runbook.cli.notify import beside
from runbook.cli.root import run
from runbook.model.journal import Event

SECRET = "xoxsEcReT"  # noqa: S105 - it is planted


@dataclass
class Receivers:
    """A configuration with receivers whose answers a test gives."""

    config: Path
    team: Peer
    oncall: Peer
    pids: list[int] = field(default_factory=list)

    def titles(self, peer: Peer) -> list[str]:
        """What that one was told."""
        return [request.json["title"] for request in peer.requests]


@pytest.fixture
def receivers(target: Path) -> Iterator[Receivers]:
    """`team`, whose URL is a secret in a file, and `oncall`; both take everything unless told otherwise."""
    (target / "url").touch(0o600)
    with Peer(lambda _: http("ok")) as team, Peer(lambda _: http("ok")) as oncall:
        (target / "url").write_text(f"{team.url}/{SECRET}")
        with (target / "runbook.toml").open("a") as config:
            config.write(f'[notify.team]\nurl_file = "url"\n[notify.oncall]\nurl = "{oncall.url}/in"\n')
        yield Receivers(target / "runbook.toml", team, oncall)


def enter(state: Path, *names: str) -> None:
    """Stages are journaled, and nothing is started."""
    journal = FileJournal(state, SystemClock(), "ann", "bastion")
    journal.append(Event.ROLLOUT_STARTED, "r", {"target": "prod", "plan": {}})
    for name in names:
        journal.append(Event.ROLLOUT_ENTERED, "r", {"stage": 0, "name": name, "run": "x"})


def holder(state: Path, receiver: str) -> int:
    """The process that tells that receiver; 0 where none does."""
    with suppress(OSError, ValueError):
        return int(json.loads((state / "locks" / f"notify-{receiver}.lock").read_bytes())["pid"])
    return 0


def test_a_receiver_that_hangs_holds_up_no_rollback_and_is_told_after_a_kill(receivers: Receivers, state: Path) -> None:
    """The rollback is through while the receiver has not answered; the other one has been told. Nothing is lost.

    The process that tells is nobody's: its own session, no terminal, no pipe, none of the environment's secrets.
    """
    receivers.oncall.answer = lambda _: hang
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": str(receivers.config), "DEPLOY_TOKEN": SECRET}
    done = as_process("rollback", "features", "--yes", "--reason", f"it's {SECRET}", environment=environment)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: len(receivers.team.requests) == 2 and bool(receivers.oncall.requests), "they were not told")
    pulled, off = receivers.titles(receivers.team)
    assert pulled.startswith("prod: rollback features was given by ")
    assert off == "prod: rollback features is done: off was read back on every node"
    wait_until(lambda: holder(state, "oncall") > 0, "nobody tells the receiver that hangs")
    pid = holder(state, "oncall")
    assert os.getsid(pid) == pid
    assert {Path(f"/proc/{pid}/fd/{number}").readlink() for number in range(3)} == {Path(os.devnull)}
    assert b"DEPLOY_TOKEN" not in Path(f"/proc/{pid}/environ").read_bytes()
    os.kill(pid, signal.SIGKILL)
    receivers.oncall.requests.clear()
    receivers.oncall.answer = lambda _: http("ok")
    again = as_process("notify", "deliver", "--once", environment=environment)
    assert again.returncode == 0, again.stdout
    wait_until(lambda: len(receivers.oncall.requests) == 2, "what was under way is lost")
    assert receivers.titles(receivers.oncall) == [pulled, off]
    assert SECRET not in done.stdout + again.stdout + again.stderr
    assert f"/{SECRET}" not in (state / "journal.jsonl").read_text()


def test_a_pause_ends_with_the_process(receivers: Receivers, state: Path, capsys: Output) -> None:
    """SIGTERM is not waited out: exit 143, and what waits keeps its place."""
    document(capsys, "notify", "deliver")
    enter(state, "shadow")
    receivers.oncall.answer = lambda _: http("", "503 Busy", Retry_After="600")
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": str(receivers.config)}
    telling = subprocess.Popen([*WORDS, "notify", "deliver"], env=environment, stderr=subprocess.PIPE, text=True)
    assert telling.stderr is not None
    assert "answered 503; try 2 in 600 s" in telling.stderr.readline()
    telling.terminate()
    telling.communicate(timeout=60)
    assert telling.returncode == 143
    assert document(capsys, "notify", "status", expect=3)["data"]["receivers"][1]["due"] == 1


def test_an_address_that_is_mended_meanwhile_is_used_by_who_tells_already(
    receivers: Receivers, state: Path, capsys: Output
) -> None:
    """Else the process that began with the old one would hold the lock for an hour, and give up. `status` is of now."""
    document(capsys, "notify", "deliver")
    enter(state, "shadow")
    receivers.oncall.answer = lambda _: http("", "503 Busy")
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": str(receivers.config)}
    good = receivers.config.read_text()
    telling = subprocess.Popen([*WORDS, "notify", "deliver"], env=environment, stderr=subprocess.PIPE, text=True)
    assert telling.stderr is not None
    assert "answered 503; try 2" in telling.stderr.readline()
    receivers.config.write_text(good.replace("[notify.oncall]", "[notify.other]"))
    assert "[notify.oncall] is not in the configuration any more" in telling.stderr.readline()
    receivers.config.write_text(good)
    waiting = document(capsys, "notify", "status", expect=3)["data"]["receivers"][1]["waiting"]
    assert "not in the configuration" in waiting["why"]
    with Peer(lambda _: http("ok")) as mended:
        receivers.config.write_text(good.replace(receivers.oncall.url, mended.url))
        telling.communicate(timeout=60)
        assert (telling.returncode, len(mended.requests)) == (0, 1)


def test_two_tell_nothing_twice(receivers: Receivers, state: Path, capsys: Output) -> None:
    """One receiver is told by one process; the others are told meanwhile."""
    document(capsys, "notify", "deliver")
    enter(state, "shadow")
    with FileLocks(state / "locks", SystemClock(), "bob", "bastion").hold("notify-oncall", "other"):
        rows = document(capsys, "notify", "deliver", expect=5)["data"]["receivers"]
    assert [(row["receiver"], row["sent"]) for row in rows] == [("team", 1), ("oncall", 0)]
    assert "bob" in rows[1]["why"]
    assert [row["sent"] for row in document(capsys, "notify", "deliver")["data"]["receivers"]] == [0, 1]


def test_who_was_locked_out_is_seen_by_who_held_the_lock(receivers: Receivers, state: Path, capsys: Output) -> None:
    """An entry that is journaled while the last message is on its way is told by the same process."""
    document(capsys, "notify", "deliver")
    enter(state, "shadow")

    def answer(_: Request) -> Answer:
        if len(receivers.team.requests) == 1:
            enter(state, "internal")
        return http("ok")

    receivers.team.answer = answer
    assert document(capsys, "notify", "deliver")["data"]["receivers"][0]["sent"] == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('template = "slak"', "the template slak cannot be read"),
        ('token_file = "nofile"', "nofile cannot be read"),
        ('key_file = "open"', "can be read by others"),
    ],
)
def test_what_keeps_a_receiver_from_ever_being_told_is_known_before_anything_happened(
    receivers: Receivers, capsys: Output, line: str, words: str
) -> None:
    """Doctor and status name it; nothing is sent for that."""
    (receivers.config.parent / "open").write_text("secret")
    (receivers.config.parent / "open").chmod(0o644)
    with receivers.config.open("a") as config:
        config.write(f"{line}\n")
    told = {each["name"]: each for each in document(capsys, "doctor", expect=3)["data"]["checks"]}
    assert (told["notify team"]["good"], told["notify oncall"]["good"]) == (True, False)
    assert words in told["notify oncall"]["found"]
    assert words in document(capsys, "notify", "status", expect=3)["data"]["receivers"][1]["problem"]
    assert not receivers.oncall.requests


def test_status_and_doctor_know_how_far_each_is_and_never_where_it_is(
    receivers: Receivers, state: Path, capsys: Output
) -> None:
    """What waits and why is bad news, until it is taken."""
    assert document(capsys, "notify", "status")["data"]["receivers"][0]["since"] is None
    document(capsys, "notify", "deliver")
    enter(state, "shadow")
    receivers.team.answer = lambda _: http(SECRET, "503 Busy")
    document(capsys, "notify", "deliver", "--once", expect=5)
    found = document(capsys, "notify", "status", expect=3)
    team, oncall = found["data"]["receivers"]
    assert (team["due"], team["waiting"]["why"], oncall["sent"]) == (1, "answered 503", 1)
    checks = {each["name"]: each for each in document(capsys, "doctor", expect=3)["data"]["checks"]}
    assert not checks["notify team"]["good"]
    assert checks["notify oncall"]["good"]
    assert run(["notify", "status"]) == 3
    told = capsys.readouterr().out
    assert "entry 2 waits: answered 503" in told
    assert SECRET not in told + json.dumps(found) + json.dumps(checks)


def test_a_test_says_that_it_is_one(receivers: Receivers, capsys: Output) -> None:
    """To all, or to those that are named; nothing is journaled."""
    assert len(document(capsys, "notify", "test")["data"]["receivers"]) == 2
    assert "this is a test" in receivers.titles(receivers.team)[0]
    receivers.oncall.answer = lambda _: http("", "404 Not Found")
    (row,) = document(capsys, "notify", "test", "oncall", expect=10)["data"]["receivers"]
    assert row["why"] == "answered 404"
    assert "did you mean team?" in complaint(capsys, "notify", "test", "teem", expect=2)["hint"]
    assert document(capsys, "audit", "show")["data"]["entries"] == []


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "needs either url or url_file"),
        ('url = "http://127.0.0.1"\nurl_file = "x"', "needs either url or url_file"),
        (f'url = "http://ann:{SECRET}@127.0.0.1/"', "does not have the right form"),
        ('url = "http://127.0.0.1"\ntemplete = "slack"', "unknown key"),
        ('url = "http://127.0.0.1"\nevents = ["all"]', "'all' is not allowed"),
    ],
)
def test_a_receiver_that_does_not_read_silences_none_of_the_others(
    receivers: Receivers, state: Path, capsys: Output, table: str, why: str
) -> None:
    """Nor does a fault elsewhere; every other command says it, too."""
    with receivers.config.open("a") as config:
        config.write(f"[notify.bad]\n{table}\n[targets.prod.rails]\nmax_hosts_per_run = -1\n")
    (broken,) = document(capsys, "notify", "deliver", expect=5)["data"]["broken"]
    assert why in broken["why"]
    assert SECRET not in broken["why"]
    enter(state, "shadow")
    document(capsys, "notify", "deliver", expect=5)
    assert len(receivers.team.requests) == 1
    assert run(["nodes"]) == 12


@pytest.mark.parametrize("broken", [lambda path: path.chmod(0o644), Path.unlink, lambda path: path.write_text("x y")])
def test_a_secret_that_cannot_be_used_waits_to_be_mended(
    receivers: Receivers, state: Path, capsys: Output, broken: Callable[[Path], object]
) -> None:
    """It is said which file, never what is in it."""
    document(capsys, "notify", "deliver")
    enter(state, "shadow")
    broken(receivers.config.parent / "url")
    row = document(capsys, "notify", "deliver", "--once", expect=5)["data"]["receivers"][0]
    assert str(receivers.config.parent / "url") in row["why"]
    assert receivers.team.requests == []


def test_nobody_is_told_where_nobody_is_named(target: Path, state: Path, capsys: Output) -> None:
    """No process is started, no folder is made."""
    assert run(["rollout", "status"]) == 4
    capsys.readouterr()
    assert run(["notify", "deliver"]) == 0
    assert "Nobody is told of anything" in capsys.readouterr().out
    assert not (state / "notify").exists()


def test_beside_the_server_who_is_taken_out_is_told_nothing_more(
    receivers: Receivers, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told is read again: one is gone, one is new, and a file that does not read changes nothing."""
    monkeypatch.setattr(beside, "LOOK_SECONDS", 0.05)
    kept = receivers.config.read_text()
    tellers = beside.Tellers(session(), receivers.config)
    tellers.keep_up()
    gone = tellers.at_work["oncall"]
    wait_until(lambda: len([*(state / "notify").glob("*.json")]) == 2, "nobody begins to tell")
    enter(state, "shadow")
    wait_until(lambda: (len(receivers.team.requests), len(receivers.oncall.requests)) == (1, 1), "they were not told")

    receivers.config.write_text("version = ")
    tellers.keep_up()
    assert sorted(tellers.at_work) == ["oncall", "team"]

    receivers.config.write_text(kept.replace("[notify.oncall]", "[notify.other]"))
    tellers.keep_up()
    assert sorted(tellers.at_work) == ["other", "team"]
    gone.thread.join(30)
    assert not gone.thread.is_alive()
    wait_until((state / "notify" / "other.json").exists, "nobody begins to tell the new one")
    enter(state, "canary")
    wait_until(lambda: len(receivers.team.requests) == 2, "it was not told")
    wait_until(lambda: len(receivers.oncall.requests) == 2, "the new one was not told")  # by the same address
    tellers.stop()
    for teller in tellers.at_work.values():
        teller.thread.join(30)
        assert not teller.thread.is_alive()
