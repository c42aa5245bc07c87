"""SIGKILL, and a refusing disk, at the system calls of what writes archives: a name is absent, or whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
from adapter_scenes import NAMES, scene_of
from killing import Runner, kill_everywhere, refuse_everywhere

Report = Callable[[object], None]


@pytest.mark.parametrize("name", NAMES)
def test_a_kill_anywhere_leaves_old_or_new_and_the_next_try_succeeds(
    forks: Runner, tmp_path: Path, report: Report, name: str
) -> None:
    """Nothing half has a final name, and the second run gives the very bytes of an uninterrupted one."""
    report(kill_everywhere(forks, scene_of(name, tmp_path)))


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_refuses_is_told_and_costs_nothing_earlier(
    forks: Runner, tmp_path: Path, report: Report, name: str
) -> None:
    """Exit code 16 with a hint, at each call; never success after a failed sync."""
    report(refuse_everywhere(forks, scene_of(name, tmp_path)))
