"""SIGKILL, and a refusing disk, while a node fills, serves and drops a generation: a whole one is served after it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import deeds
import pytest
from killing import Point, Runner, Scene, kill_everywhere, refuse_everywhere
from whole_data import binding, concept, episode, exact, write

from runbook.sandbox.engine import Engine
from runbook.sandbox.exporting import Export

Report = Callable[[object], None]
UUID = "00000000-0000-4000-8000-000000000001"
NEW = write("dual_memory", [episode("a"), episode("b"), concept(UUID), binding("a", UUID)])
OLD = write("dual_memory", [])
STEPS = [step.__name__ for step in deeds.NODE_STEPS]


def served(folder: Path) -> dict[str, str]:
    """The generations of the node after a restart; each is whole, to the bit, and there is no file of another one."""
    engine = Engine(folder / "node")
    try:
        found = {each["id"]: each["state"] for each in engine.holdings.listed()}
        files = {path.name for path in (folder / "node").glob("memory*.db")}
        assert files == {engine.generations.path(generation).name for generation in found}
        for generation in found:
            data = b"".join(Export(engine.holdings.origin(generation), "dual_memory"))
            assert exact(data) == exact(OLD if generation == "g1" else NEW), generation
        return found
    finally:
        engine.close()


def scene_of(step: str, tmp_path: Path) -> Scene:
    """The step, from a node that has done those before it."""
    before = tmp_path / "before"
    before.mkdir()
    (before / "archive").write_bytes(NEW)
    deeds.start(before)
    for earlier in deeds.NODE_STEPS[: STEPS.index(step)]:
        earlier(before)

    def check(folder: Path) -> None:
        found = served(folder)
        assert set(found) <= {"g1", "g2"}
        assert "active" in found.values()

    return Scene(
        f"a node's {step}", [step, "{}"], before, check, lambda _: None, again=["start", "{}"], lenient=lenient
    )


def lenient(point: Point) -> bool:
    """SQLite does without much, such as a checkpoint while the log still holds it; what it says was done, was done."""
    return "generations.json" not in point.text


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_anywhere_leaves_one_whole_generation(forks: Runner, tmp_path: Path, report: Report, step: str) -> None:
    """The old or the new one is served, whole; what is listed is there, and nothing else is."""
    report(kill_everywhere(forks, scene_of(step, tmp_path)))


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_refuses_leaves_one_whole_generation(
    forks: Runner, tmp_path: Path, report: Report, step: str
) -> None:
    """And the node says that the disk refused, or has done it all the same."""
    report(refuse_everywhere(forks, replace(scene_of(step, tmp_path), product=served)))
