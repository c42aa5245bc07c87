"""Processes are found by their mark, wherever they hide, and nobody else is touched."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runbook.adapters.ansible import orphans
from runbook.errors import PersonNeededError

STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
_PAUSE = "import signal; print(flush=True); signal.pause()"
FAMILY = (
    f"import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', {_PAUSE!r}], start_new_session=True);"
    " signal.pause()"
)


def start(script: str, mark: str) -> "subprocess.Popen[bytes]":
    """A process with that mark, once it says that it is ready."""
    environment = {**os.environ, orphans.MARK: mark}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def bystander(mark: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process whose mark only begins like the one that is looked for."""
    with start(_PAUSE, f"{mark}.undo") as process:
        yield process
        process.kill()


def test_none_is_none(mark: str) -> None:
    """A play that left nothing."""
    assert orphans.stop(mark) == 0


def test_children_in_sessions_of_their_own_are_found(mark: str, bystander: "subprocess.Popen[bytes]") -> None:
    """Workers of Ansible lead their own sessions: a kill of the process group misses them."""
    with start(FAMILY, mark):
        assert orphans.stop(mark) == 2
    assert orphans.stop(mark) == 0
    assert bystander.poll() is None


def test_who_ignores_the_question_is_killed(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM first, SIGKILL then."""
    monkeypatch.setattr(orphans, "GRACE_SECONDS", 0.2)
    with start(STUBBORN, mark) as process:
        assert orphans.stop(mark) == 1
        assert process.wait() == -signal.SIGKILL


def test_who_does_not_end_is_named(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that nothing ends is a matter for a person, with its number."""
    monkeypatch.setattr(orphans, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(orphans, "LIMIT_SECONDS", 0.1)
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda *_: None)
    with start(STUBBORN, mark) as process:
        with pytest.raises(PersonNeededError, match=str(process.pid)):
            orphans.stop(mark)
        process.kill()
