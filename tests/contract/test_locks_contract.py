"""What every `Locks` promises."""

from pathlib import Path

import pytest

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.adapters.memory.locks import MemoryLocks
from runbook.errors import LockedError
from runbook.ports import Locks


@pytest.fixture(params=["file", "memory"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Locks:
    """Each implementation in turn."""
    return FileLocks(tmp_path, SystemClock(), "anna", "bastion") if request.param == "file" else MemoryLocks()


def test_a_held_lock_is_refused_at_once_and_its_holder_named(locks: Locks) -> None:
    """The person learns whom to wait for (exit code 11)."""
    with (
        locks.hold("sandbox", "run-1"),
        pytest.raises(LockedError, match="run-1"),
        locks.hold("sandbox", "run-2"),
    ):
        pytest.fail("held twice")


def test_a_lock_that_was_let_go_can_be_held_again(locks: Locks) -> None:
    """Nothing is left behind."""
    with locks.hold("sandbox", "run-1"):
        pass
    with locks.hold("sandbox", "run-2"):
        pass


def test_an_error_inside_lets_go_of_the_lock(locks: Locks) -> None:
    """A failed run does not block the next one."""
    with pytest.raises(RuntimeError), locks.hold("sandbox", "run-1"):
        raise RuntimeError
    with locks.hold("sandbox", "run-2"):
        pass


def test_a_refusal_does_not_let_go_of_the_holders_lock(locks: Locks) -> None:
    """Trying does no harm."""
    with locks.hold("sandbox", "run-1"):
        for _ in range(2):
            with pytest.raises(LockedError), locks.hold("sandbox", "run-2"):
                pytest.fail("held twice")


def test_two_names_are_two_locks(locks: Locks) -> None:
    """Work on one target does not stop work on another."""
    with locks.hold("sandbox", "run-1"), locks.hold("production", "run-2"):
        pass
