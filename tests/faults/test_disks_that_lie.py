"""A disk that takes bytes and does not have them, and one that takes some of them only: never a success."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from adapter_scenes import NAMES, scene_of
from killing import ALL, Runner, content

Report = Callable[[object], None]
TAKEN = re.compile(r" = (\d+)$")


@pytest.mark.parametrize("name", NAMES)
def test_what_the_disk_only_said_to_have_written_is_found(
    forks: Runner, tmp_path: Path, report: Report, name: str
) -> None:
    """Each write in turn is answered with success, and not done: reading back tells, and nothing half has a name."""
    scene = scene_of(name, tmp_path)
    points, product = scene.whole(forks)
    writes = [each for each in points if each.name in {"write", "pwrite64"} and not each.text.startswith(("1<", "2<"))]
    writes = [each for each in writes if "/scratch" not in each.text and TAKEN.search(each.text)]
    found = 0
    for at, point in enumerate(writes if ALL else writes[-2:]):
        taken = TAKEN.search(point.text)
        assert taken is not None
        with scene.staged(forks, f"lied-{at}") as folder:
            lie = f"inject={point.name}:retval={taken[1]}:when={point.number}"
            ran = scene.run(forks, folder, "-e", lie)
            assert ran.injected, point
            is_spare = ran.code == 0 and scene.product(folder) == product  # a shard in whose place the parent's is kept
            assert is_spare or ran.code in {12, 16}, (point, ran.err)
            scene.check(folder)
            found += 1
    report(f"{name}, a write that is not done: {found} of {len(writes)} tried, never a success without its bytes")


@pytest.mark.parametrize("name", NAMES)
def test_a_write_that_is_cut_short_is_a_refusal(forks: Runner, tmp_path: Path, report: Report, name: str) -> None:
    """The kernel's own limit on the size of a file, met in the middle of a write: exit code 16, and old or new."""
    scene = scene_of(name, tmp_path)
    with scene.staged(forks, "whole") as folder:
        assert scene.run(forks, folder).code == 0
        new = set(content(folder).items()) - set(content(scene.before).items())
        largest = max(len(data) for _, data in new if data)
    limits = range(600, largest, max((largest - 600) // (40 if ALL else 2), 1))
    for limit in limits:
        with scene.staged(forks, f"cut-{limit}") as folder:
            ran = scene.run(forks, folder, limit=limit)
            assert ran.code == 16, (limit, ran.err)
            assert "larger than is allowed" in ran.err
            scene.check(folder)
    report(f"{name}, a write that is cut short: {len(limits)} limits, exit 16 each time")
