"""`runbook abtest report` where splitters stand in front of the nodes: their access logs are counted on their hosts."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Output, complaint, document
from peers import Peer, http
from running_node import wait_until

from runbook.adapters.clock import SystemClock
from runbook.adapters.memory.access import WELL
from runbook.cli import compose
from runbook.cli.abtest.access import scope_of
from runbook.cli.rollout import access_logs
from runbook.cli.rollout.access_logs import LogsBeside, StageLogs
from runbook.cli.rollout.plans import plan_named
from runbook.cli.root import run
from runbook.engine.rollout.plan.document import filled
from runbook.errors import InterruptedRunError, StorageError
from runbook.model.access import AccessReport
from runbook.model.assignment import in_treatment
from runbook.model.rollout import Entered, Rollout, Standing
from runbook.model.target import Node, Target, Way

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
RATE, SALT, SPACES = (f"dual_memory.treatment_{word}" for word in ("rate", "salt", "spaces"))
NAMES = [f"space-{number}" for number in range(200)]


def lines(names: Sequence[str], at: float) -> str:
    """A recall of each, served as assigned; the treated ones fail, since no node answers."""
    found = []
    for name in names:
        treated = in_treatment(name, salt="pepper", share=0.5)
        status, header = ("502", "-") if treated else ("200", "0.001")
        entry = {"time": at, "call": "recall", "space": name, "group": "treatment" if treated else "control"}
        found.append(json.dumps({**entry, "status": status, "upstream_seconds": header}))
    return "\n".join(found) + "\n"


@pytest.fixture
def splitters(target: Path) -> Iterator[Path]:
    """Two in front of the node of `prod`, on this host, which take half of the spaces; only the first one has a log."""
    with Peer(lambda _: http({RATE: 0.5, SALT: "pepper", SPACES: []})) as one, Peer(one.answer) as two:
        place = target / "prod.yml"
        found = json.loads(place.read_text())
        for name, peer in (("split-1", one), ("split-2", two)):
            log = str(target / f"{name}.log")
            found["all"]["hosts"][name] = {
                "engram_splitter_url": peer.url,
                "engram_splitter_log": log,
                "ansible_connection": "local",
            }
        place.write_text(json.dumps(found))
        yield target


def test_the_logs_of_the_splitters_are_counted_on_their_hosts(splitters: Path, capsys: Output) -> None:
    """Of the last day, by a play; one that cannot be read is told, and hides no other."""
    now = SystemClock().now().timestamp()
    (splitters / "split-1.log").write_text(lines(["long-ago"], now - 200_000) + lines(NAMES, now - 60) + "garbage\n")
    found = document(capsys, "abtest", "report", expect=4)["data"]["access"]
    treated = sum(in_treatment(name, salt="pepper", share=0.5) for name in NAMES)
    assert found["recalls"]["treatment"] == {"calls": treated, "errors": treated, "unanswered": treated}
    assert found["recalls"]["control"] == {"calls": 200 - treated, "errors": 0, "unanswered": 0}
    assert (found["spaces"], found["misplaced_spaces"], found["mismatch"]["blocks"]) == (200, 0, False)
    assert (found["logs"][0]["source"], found["logs"][0]["garbage"]) == ("split-1", 1)
    assert [each["node"] for each in found["silent"]] == ["split-2"]
    assert "split-2.log cannot be read" in found["silent"][0]["reason"]


def test_a_file_that_is_here_is_counted_instead(splitters: Path, capsys: Output) -> None:
    """All of it, where no rollout says since when; who was served otherwise than assigned is named."""
    control = next(name for name in NAMES if not in_treatment(name, salt="pepper", share=0.5))
    other = lines([control], 5.0).replace("control", "treatment")
    (splitters / "here.log").write_text(lines(NAMES, 5.0) + other)
    assert run(["abtest", "report", "--access-log", str(splitters / "here.log")]) == 4
    said = capsys.readouterr().out
    assert f"Access logs of the splitters ({splitters}/here.log)" in said
    assert "1 of 200 spaces were served in another group than assigned" in said
    assert f"{control}: assigned control, 1 of 2 recalls astray" in said
    assert "of them answered by no node" in said
    error = complaint(capsys, "abtest", "report", "--access-log", str(splitters / "nothing"), expect=2)
    assert "cannot be read" in error["message"]


@pytest.mark.parametrize(("hours", "seconds"), [(10.0, 60.0), (0.1, 36.0)])
def test_a_stage_is_counted_without_its_edges(hours: float, seconds: float) -> None:
    """The clock of a splitter may be a little off, and calls of the stage before are still answered."""
    begin, end = AT.timestamp(), (AT + timedelta(hours=hours)).timestamp()
    plan, entered = filled(plan_named("dual-memory"), "pepper", ("alpha",)), (Entered(1, AT, 5, "run-1"),)
    inside = Rollout("r", "prod", plan, "", "anna", AT, 1, "", Standing.RUNNING, 1, entered=entered)
    later = scope_of(replace(inside, released=AT + timedelta(hours=hours / 2)), end)
    assert begin + hours * 1800 < (later.since or 0) <= begin + hours * 1800 + seconds
    back = scope_of(replace(inside, released=AT - timedelta(hours=2)), begin - 3600)  # the clock was set back
    assert back.since == begin - 2 * 3600 + 60
    scope = scope_of(inside, end)
    assert (scope.since, scope.until) == (begin + seconds, None)
    scope = scope_of(replace(inside, entering=AT + timedelta(hours=hours)), end + 5000)
    assert (scope.since, scope.until) == (begin + seconds, end - seconds)


class Slow(StageLogs):
    """Reads one after the other, each until it is let go or cancelled."""

    def report(self, rollout: Rollout, now: float) -> AccessReport:
        """The play that is not run."""
        del rollout, now
        begun.release()
        while not told.acquire(timeout=0.05):
            if self.cancelled() is not None:
                gone.set()
                raise InterruptedRunError("cancelled")
        match answers.pop(0):
            case Exception() as error:
                raise error
            case AccessReport() as report:
                return report


begun, told, gone = threading.Semaphore(0), threading.Semaphore(0), threading.Event()
answers: list[AccessReport | Exception] = []


def test_a_watch_does_not_wait_for_access_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later look has them; they are read anew for another stage, and a play that is under way ends with the watch."""
    plan = replace(filled(plan_named("dual-memory"), "pepper", ("alpha",)), check_every=timedelta(hours=1))
    rollout = Rollout("r", "prod", plan, "", "anna", AT, 1, "", Standing.RUNNING, 1, entered=(Entered(1, AT, 5, "r"),))
    target = Target("prod", "staging", Path("no"), (), splitters=(Node("s1", "http://s1", Way.NGINX),))
    answers[:] = [WELL, StorageError("no room"), ValueError("a bug")]
    with LogsBeside(Slow(compose.session(), target, lambda _: None)) as logs:
        assert (logs.report(rollout, 0.0), logs.report(rollout, 0.0)) == (None, None)
        told.release()
        wait_until(lambda: logs.report(rollout, 0.0) is WELL, "it is not told")
        assert begun.acquire(blocking=False)
        assert not begun.acquire(blocking=False)  # read once
        for stage, why in ((1, "no room"), (2, "ValueError: a bug")):
            other = replace(rollout, stage=stage, released=AT)
            assert logs.report(other, 0.0) is None
            told.release()
            wait_until(lambda it=other: logs.report(it, 0.0) is not None, "it is not told")  # type: ignore[misc] # bound
            (silence,) = (logs.report(other, 0.0) or WELL).silent
            assert (silence.node, silence.reason) == ("s1", why)
        monkeypatch.setattr(threading.Thread, "start", no_thread)
        with LogsBeside(Slow(compose.session(), target, lambda _: None)) as none:
            assert none.report(rollout, 0.0) is None
            assert (none.report(rollout, 0.0) or WELL).silent[0].reason == "can't start new thread"
        monkeypatch.undo()
        late = replace(rollout, stage=3)
        monkeypatch.setattr(access_logs, "LONGEST_SECONDS", 0.0)
        assert logs.report(late, 0.0) is None
        wait_until(lambda: logs.report(late, 0.0) is not None, "it is not told")
        assert "did not end within" in (logs.report(late, 0.0) or WELL).silent[0].reason
        monkeypatch.undo()
        gone.clear()
        assert logs.report(replace(rollout, stage=4), 0.0) is None
    assert gone.is_set()


def no_thread(_: threading.Thread) -> None:
    """What Python says under a limit of tasks."""
    raise RuntimeError("can't start new thread")
