"""Who and where, as every entry says it."""

import os
import pwd

from pytest_mock import MockerFixture

from runbook.adapters.journal import invoking_user, machine


def test_the_person_is_who_called_sudo_else_the_owner_of_the_process() -> None:
    """What LOGNAME claims is not asked."""
    assert invoking_user({"SUDO_USER": "anna", "LOGNAME": "engram"}) == "anna"
    assert invoking_user({"LOGNAME": "anna"}) == pwd.getpwuid(os.getuid()).pw_name


def test_a_uid_without_a_name_is_still_someone(mocker: MockerFixture) -> None:
    """In a container."""
    mocker.patch("pwd.getpwuid", side_effect=KeyError)
    assert invoking_user({"LOGNAME": "anna"}) == "anna"
    assert invoking_user({}) == f"uid {os.getuid()}"


def test_the_machine_has_a_name() -> None:
    """Never empty."""
    assert machine()
