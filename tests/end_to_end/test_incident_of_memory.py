"""Leaks on real nodes: found first, mended by their own action and by no other; the heap dumps are kept."""

from collections.abc import Callable, Iterator

import pytest
from end_to_end_fleet import Command, broken, found_and_mended, kill, orphans, well_fleet

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CLEANUP = "dual_memory.binding_cleanup"
CACHE = "dual_memory.concept_cache_size"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes with a baseline and traffic."""
    with well_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


@pytest.mark.parametrize(
    ("fault", "cure", "wrong", "part"),
    [
        ("memory-leak-bindings", (CLEANUP, True), ("concept_cache_size", "16"), "bindings"),
        ("memory-leak-cache", (CACHE, 1024), ("coherence_threshold", "0.7"), "cache"),
    ],
)
def test_it_is_found_first_and_mended_by_what_is_meant_for_it(
    fleet: Command, fault: str, cure: tuple[str, object], wrong: tuple[str, str], part: str
) -> None:
    """Two dumps of every node name the part that grows."""
    with broken(fleet, fault):
        run = found_and_mended(fleet, "memory-leak", cure, wrong)
    assert [len(each["kept"]) for each in run["evidence"]] == [2, 2]
    assert {each["grew"][0]["part"] for each in run["evidence"]} == {part}


def test_killed_while_it_looks_before_the_first_step_and_undone(
    fleet: Command, wait_for: Callable[[Callable[[], bool], str], None]
) -> None:
    """The play that dumps heaps lives on without its parent; undo ends it, and has nothing to put back.

    The last of this file: the run stands half done, and no other may begin.
    """
    known = len(fleet.journal())
    with broken(fleet, "memory-leak-cache"):
        sick = fleet.settings()
        process = fleet.start("memory-leak", "--act", "--yes", "--window", "5s", "--reason", "test")
        wait_for(lambda: len(fleet.journal()) > known, "the run has begun")
        run = str(fleet.journal()[known]["run"])
        wait_for(lambda: bool(orphans(f"{run}.evidence.")), "it looks")
        kill(process)
        assert orphans(f"{run}.evidence.")
        assert "nothing in effect" in fleet("undo", run, "--yes").stdout
        assert orphans(f"{run}.evidence.") == []
        assert fleet.settings() == sick
