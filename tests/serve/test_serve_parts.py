"""Parts of the server by themselves: what is due to be journaled, how much may come, what a child may do."""

import asyncio
import json
import os
import signal
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from journal_maker import make_journal
from serving import configured

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.following import Follower
from runbook.adapters.journal.second import SecondPlace
from runbook.adapters.memory.clock import MemoryClock
from runbook.cli.root import run
from runbook.engine.alerts.decide import Before
from runbook.engine.alerts.keeping import details_of, identity
from runbook.errors import RefusedError, RunbookError
from runbook.model.alert import Alert, Received
from runbook.model.answer import Answer
from runbook.model.configuration import NOTHING, Automatic
from runbook.model.journal import Entry, Event
from runbook.model.risk import Risk
from runbook.serve.sayings import AGAIN_SECONDS, MOST_HELD, Sayings
from runbook.serve.webhook.allowance import Allowance
from runbook.serve.webhook.credential import Credential
from runbook.serve.webhook.outcomes import FIRST_SECONDS, PERIOD_SECONDS, Outcome, Outcomes
from runbook.serve.work.acting import Deed, words_of
from runbook.serve.work.child import Ended, Patience, environment, run_child
from runbook.serve.work.leading import before_of, remembered
from runbook.serve.work.reading import acted, diagnosed


def test_a_kind_of_refusal_is_due_once_a_period() -> None:
    """Soon after the first one, then with the number of all that came since; what is taken never is."""
    outcomes = Outcomes()
    outcomes.note(Outcome.ACCEPTED, 0.0)
    for _ in range(3):
        outcomes.note(Outcome.MALFORMED, 0.0, "line 1")
    assert list(outcomes.due(0.0)) == []
    (first,) = outcomes.due(FIRST_SECONDS)
    assert first == {"kind": "malformed", "count": 3, "example": "line 1"}
    outcomes.note(Outcome.MALFORMED, FIRST_SECONDS)
    outcomes.told(first, FIRST_SECONDS)
    assert list(outcomes.due(FIRST_SECONDS + PERIOD_SECONDS - 1)) == []
    (again,) = outcomes.due(FIRST_SECONDS + PERIOD_SECONDS)
    assert again["count"] == 1
    outcomes.told(again, FIRST_SECONDS + PERIOD_SECONDS)
    assert list(outcomes.due(1e9, all_of_them=True)) == []
    assert outcomes.counts[Outcome.MALFORMED] == 4


def test_so_many_at_once_and_so_many_in_the_long_run() -> None:
    """All of a payload, or nothing of it."""
    clock = MemoryClock()
    allowance = Allowance(clock, most=10, per_second=1)
    assert allowance.takes(10)
    assert not allowance.takes(1)
    clock.sleep(3)
    assert not allowance.takes(4)
    assert allowance.takes(3)


def test_the_same_is_not_said_again_and_again() -> None:
    """Once a minute, whatever is said between; what is held of it has a bound."""
    clock, heard = MemoryClock(), list[str]()
    sayings = Sayings(heard.append, clock)
    for text in ("a", "a", "b", "a"):
        sayings.say(text)
    clock.sleep(AGAIN_SECONDS)
    sayings.say("a")
    assert heard == ["a", "b", "a"]
    for number in range(2 * MOST_HELD):
        sayings.say(str(number))
    assert len(sayings._said) == MOST_HELD


@pytest.mark.parametrize("content", ["", "short", "two words\nis three tok\x7fens", "\n"])
def test_what_holds_no_token_opens_nothing(tmp_path: Path, content: str) -> None:
    """It is no reason to let anybody in."""
    file = tmp_path / "t"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(RunbookError):
        Credential(file).admits(b"Bearer ")


def test_only_a_private_regular_file_holds_the_token(tmp_path: Path) -> None:
    """Neither a folder, nor a pipe, nor what others may read, nor nothing."""
    file = tmp_path / "t"
    with pytest.raises(RunbookError, match="cannot be read"):
        Credential(file).refresh()
    os.mkfifo(file)
    with pytest.raises(RunbookError, match="no regular file"):
        Credential(file).refresh()
    file.unlink()
    file.write_text("long enough a token\n".replace(" ", "-"))
    file.chmod(0o640)
    with pytest.raises(RefusedError, match="by others"):
        Credential(file).refresh()
    file.chmod(0o600)
    credential = Credential(file)
    assert credential.admits(b"Bearer long-enough-a-token")
    assert not credential.admits(b"Bearer long-enough-a-toke")
    assert not credential.admits(None)
    assert not credential.admits(b"")


def test_doctor_says_whether_alerts_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With which file, what they may do, and what is wrong with it."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    automatic = "[targets.prod.automatic]\nissues = ['memory-leak']"
    config = configured(tmp_path, tmp_path / "gone.yml", automatic=automatic)

    def told() -> dict[str, object]:
        run(["doctor", "--config", str(config), "--json"])
        checks = json.loads(capsys.readouterr().out)["data"]["checks"]
        return next(each for each in checks if each["name"] == "webhook")

    assert told()["good"]
    assert "on prod: memory-leak" in str(told()["found"])
    (tmp_path / "webhook.token").chmod(0o644)
    assert (told()["good"], told()["hint"]) == (False, f"chmod 600 {tmp_path / 'webhook.token'}")
    config.write_text(config.read_text().replace("webhook_token_file", "# "))
    assert "no alert is taken" in str(told()["found"])


def test_a_child_gets_little_of_our_environment() -> None:
    """What it needs to find the same state, configuration and person; nobody's tokens, no other locale."""
    found = environment(
        {"PATH": "/bin", "RUNBOOK_STATE": "/s", "AWS_SECRET": "x", "LC_ALL": "de_DE", "PYTHONPATH": "y"}
    )
    assert found == {"PATH": "/bin", "RUNBOOK_STATE": "/s", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def test_what_is_typed_is_what_the_configuration_allows() -> None:
    """No word of an alert becomes an option; what is disruptive is only done where that word stands in the table."""
    hostile = Alert("--yes; rm -rf", firing=True, labels={}, annotations={}, fingerprint="--json")
    alerts = [Received("i", datetime(2026, 1, 1, tzinfo=UTC), "prod", "", hostile)] * 2
    low = words_of(Deed("d", "prod", "memory-leak", Automatic(("memory-leak",)), alerts))
    assert low == [
        *("memory-leak", "--act", "--yes", "--json", "--max-risk", "low", "--target", "prod"),
        "--reason=alert --yes; rm -rf (--json) and 1 more, diagnosis d",
    ]
    assert Deed("e", "prod", "memory-leak", NOTHING, alerts).reason not in low[-1]  # else it is found for the other
    all_of_it = Automatic(("memory-leak",), max_risk=Risk.DISRUPTIVE)
    assert "--allow-disruptive" in words_of(Deed("d", "prod", "memory-leak", all_of_it, alerts))
    assert "--allow-disruptive" not in low


def child(words: list[str], patience: Patience, *, end_at_once: bool = False, given: bytes = b"") -> Ended:
    """The real command, run as the worker runs it."""

    async def run() -> Ended:
        ending = asyncio.Event()
        if end_at_once:
            ending.set()
        return await run_child(words, given, patience, ending)

    return asyncio.run(run())


def test_a_child_is_heard_ended_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its streams and its code; late, or told to end: SIGTERM, then SIGKILL to its group."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    whole = child(["diagnose", "--from", "-", "--json"], Patience(60, 5, kill=True), given=b"[")
    assert (whole.code, whole.late) == (12, False)
    assert "line 1, column" in diagnosed(whole).why
    late = child(["--version"], Patience(0.0, 0.0, kill=True))
    assert late.late
    assert late.code in {-signal.SIGTERM, -signal.SIGKILL}
    told = child(["--version"], Patience(60, 20, kill=True), end_at_once=True)
    assert told.code in {-signal.SIGTERM, 143, 0}
    assert not told.late


@pytest.mark.parametrize(
    "out", [b"", b"[]", b"{", b'{"data": 5}', b'{"data": {"issues": [{}]}}', b"\xff", b"[" * 99999]
)
def test_what_a_child_says_that_is_no_answer_is_none(out: bytes) -> None:
    """No answers, and a reason."""
    found = diagnosed(Ended(1, out, "Traceback\nOops: x\n"))
    assert dict(found.answers) == {}
    assert found.why in {"Oops: x", "its answer was not understood"}
    assert acted(Ended(1, out, "Oops")).run == ""


def test_what_a_child_says_is_read() -> None:
    """The order is the diagnosis's own; an error names the run."""
    issues = b'[{"issue": "b", "present": "YES", "nodes": [{"node": "n", "present": "YES"}]}, '
    issues += b'{"issue": "a", "present": "UNKNOWN", "nodes": []}]'
    found = diagnosed(Ended(3, b'{"data": {"issues": ' + issues + b"}}", ""))
    assert list(found.answers.items()) == [("b", Answer.YES), ("a", Answer.UNKNOWN)]
    assert (found.nodes["b"], found.why) == (("n",), "")
    told = acted(Ended(13, b"", 'talk\n{"error": {"code": 13, "message": "no reason", "run": "r1"}}\n'))
    assert (told.code, told.run, told.why) == (13, "r1", "no reason")
    run = b'{"data": {"run": {"id": "r2", "status": "recovered"}}}'
    assert acted(Ended(0, run, "")).run == "r2"


def test_what_goes_on_is_asked_of_the_journal(tmp_path: Path) -> None:
    """A brake of that target, not of another one, nor what undoes it; and where it does not read, nothing is known."""
    journal = FileJournal(tmp_path, SystemClock(), "anna", "bastion")
    follower = Follower(tmp_path, SystemClock(), second=SecondPlace(tmp_path, []))
    assert before_of(follower, "prod", ()) == Before()
    for name, more in (("r1", {}), ("r2", {"undoes": "r1"}), ("r3", {"issue": "memory-leak"})):
        plan = {"id": name, "command": "rollback features", "target": "prod", "issue": "rollback", "steps": [], **more}
        journal.append(Event.RUN_STARTED, name, {"plan": plan})
    assert before_of(follower, "prod", ()).braked == next(journal.entries()).at
    assert before_of(follower, "other", ()).braked is None
    (tmp_path / "journal.jsonl").rename(tmp_path / "kept")
    (tmp_path / "journal.jsonl").mkdir()
    assert before_of(follower, "prod", ()).unknown


def test_entries_of_a_newer_version_may_be_a_rollout(tmp_path: Path) -> None:
    """What they say is not known, so nothing is allowed because of it."""
    at = datetime(2026, 11, 22, tzinfo=UTC)
    newer = cast("Event", SimpleNamespace(value="rollout.begun"))
    make_journal(tmp_path, iter([Entry(1, at, newer, "r", "anna", "bastion", {"target": "prod"})]))
    follower = Follower(tmp_path, SystemClock(), second=SecondPlace(tmp_path, []))
    assert "newer version" in before_of(follower, "prod", ()).unknown


def test_many_alerts_are_remembered_one_by_one(tmp_path: Path) -> None:
    """What the journal says of them is not in memory all at once; each is known again."""
    alerts = [Alert("Leak", firing=False, labels={"n": f"{n}", "x": "x" * 20_000}, annotations={}) for n in range(500)]
    at = datetime(2026, 11, 22, tzinfo=UTC)
    kept = (Received(identity(each), at, "prod", "prod", each) for each in alerts)
    entries = (
        Entry(seq, at, Event.ALERT_RECEIVED, "", "anna", "bastion", details_of(each))
        for seq, each in enumerate(kept, 1)
    )
    make_journal(tmp_path, entries)
    follower = Follower(tmp_path, SystemClock(), second=SecondPlace(tmp_path, []))
    follower.catch_up()
    tracemalloc.start()
    try:
        memory = remembered(follower)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # the journal has twice as much
    assert all(map(memory.knows, alerts))
