"""SIGKILL, and a refusing disk, at the system calls of keeping rows: each reading is whole, or not there at all."""

from collections.abc import Callable
from pathlib import Path

import deeds
import pytest
from killing import Point, Runner, Scene, kill_everywhere, refuse_everywhere

from runbook.adapters.cell_store import FileCellStore
from runbook.model.cells import Cell

Report = Callable[[object], None]
EARLY, FIRST, SECOND = (list(deeds.rows_of(bucket).cells) for bucket in (2, 4, 6))
NAMES = ["cells", "first_cells"]


def kept(folder: Path) -> list[Cell]:
    """Every row that is kept there."""
    return sorted(FileCellStore(folder, "prod").rows(0, 100), key=lambda cell: (cell.bucket, int(cell.space[6:])))


def scene_of(name: str, tmp_path: Path) -> Scene:
    """The deed; for the first rows ever, without earlier ones."""
    before = tmp_path / "before"
    before.mkdir()
    early: list[Cell] = []
    if name == "cells":
        FileCellStore(before, "prod").add([deeds.rows_of(2)])
        early = EARLY

    def check(folder: Path) -> None:
        assert kept(folder) in (early, early + FIRST, early + FIRST + SECOND)

    return Scene(name, [name, "{}"], before, check, kept, lenient=_does_without)


def _does_without(_: Point) -> bool:
    """SQLite may go on: its log need not be moved into the file at the end, nor removed, nor be of the faster kind.

    What was acknowledged is looked for after each refusal all the same.
    """
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_kill_anywhere_leaves_whole_readings_and_the_next_try_succeeds(
    forks: Runner, tmp_path: Path, report: Report, name: str
) -> None:
    """What was kept earlier is there, and the second run ends as an uninterrupted one."""
    report(kill_everywhere(forks, scene_of(name, tmp_path)))


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_refuses_is_told_and_costs_no_earlier_reading(
    forks: Runner, tmp_path: Path, report: Report, name: str
) -> None:
    """Exit code 16 with a hint, or it was done without what was refused; never a success with a row too few."""
    report(refuse_everywhere(forks, scene_of(name, tmp_path)))
