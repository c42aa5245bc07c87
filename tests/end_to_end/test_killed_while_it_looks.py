"""A run that is killed while it collects evidence leaves nothing reading."""

from collections.abc import Callable
from pathlib import Path

import pytest
from end_to_end_fleet import broken, kill, orphans, well_fleet

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def test_killed_while_it_looks_before_the_first_step_and_undone(
    tmp_path: Path, wait_for: Callable[[Callable[[], bool], str], None]
) -> None:
    """The play that dumps heaps lives on without its parent; undo ends it, and has nothing to put back."""
    with well_fleet(tmp_path, 1) as well, broken(well, "memory-leak-cache"):
        known = len(well.journal())
        sick = well.settings()
        process = well.start("memory-leak", "--act", "--yes", "--window", "5s", "--reason", "test")
        wait_for(lambda: len(well.journal()) > known, "the run has begun")
        run = str(well.journal()[known]["run"])
        wait_for(lambda: bool(orphans(f"{run}.evidence.")), "it looks")
        kill(process)
        assert orphans(f"{run}.evidence.")
        assert "nothing in effect" in well("undo", run, "--yes").stdout
        assert orphans(f"{run}.evidence.") == []
        assert well.settings() == sick
