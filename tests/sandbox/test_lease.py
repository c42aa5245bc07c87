"""One changing run per node, by the steady clock."""

import pytest
from pytest_mock import MockerFixture

from runbook.sandbox import lease
from runbook.sandbox.lease import Leases


@pytest.fixture
def clock(mocker: MockerFixture) -> list[float]:
    """The steady clock, to be moved by hand."""
    now = [100.0]
    mocker.patch.object(lease, "monotonic", side_effect=lambda: now[0])
    return now


def test_another_run_is_refused_and_learns_the_holder(clock: list[float]) -> None:
    """The second run gets the first one's lease to look at."""
    leases = Leases()
    leases.take("ada", "run-1", 60)
    taken, held = leases.take("grace", "run-2", 60)
    assert not taken
    assert (held.holder, held.run, held.expires_in_seconds) == ("ada", "run-1", 60.0)


def test_the_same_run_renews(clock: list[float]) -> None:
    """A renewal counts from now."""
    leases = Leases()
    leases.take("ada", "run-1", 60)
    clock[0] += 50
    taken, held = leases.take("ada", "run-1", 60)
    assert taken
    assert held.expires_in_seconds == 60.0


def test_a_lease_expires_by_itself(clock: list[float]) -> None:
    """A run that died does not block the others for ever."""
    leases = Leases()
    leases.take("ada", "run-1", 60)
    clock[0] += 60
    assert leases.current is None
    assert leases.take("grace", "run-2", 60)[0]


def test_only_the_holder_gives_it_back(clock: list[float]) -> None:
    """Another run's release is not heard."""
    leases = Leases()
    leases.take("ada", "run-1", 60)
    assert not leases.give_back("run-2")
    assert leases.give_back("run-1")
    assert not leases.give_back("run-1")
