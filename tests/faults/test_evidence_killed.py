"""SIGKILL, and a refusing disk, at the system calls of writing evidence: a bundle is whole, or not there at all."""

from collections.abc import Callable
from pathlib import Path

import deeds
from killing import Runner, Scene, kill_everywhere, refuse_everywhere

from runbook.adapters.evidence_shelf import FolderShelf, read_bundle
from runbook.adapters.journal.redaction import clean
from runbook.engine.proof.verify import open_bundle

Report = Callable[[object], None]
EARLIER = {**deeds.ABOUT_EVIDENCE, "name": "r0-000002"}


def bundles(folder: Path) -> dict[str, dict[str, bytes]]:
    """Every bundle that has its name; of two that hold the same, as a second try makes them, the first."""
    places = sorted(place for place in (folder / "evidence").iterdir() if not place.name.startswith("."))
    found = {place.name: read_bundle(place) for place in places}
    return {name: files for name, files in found.items() if not name.endswith("-2")}


def scene_of(tmp_path: Path) -> Scene:
    """One bundle is there already."""
    before = tmp_path / "before"
    before.mkdir()
    FolderShelf(before, clean).keep(EARLIER, {}, {})
    early = bundles(before)

    def check(folder: Path) -> None:
        found = bundles(folder)
        assert early.items() <= found.items(), "something earlier was touched"
        for name in found.keys() - early.keys():
            open_bundle(found[name])

    return Scene("evidence", ["evidence", "{}"], before, check, bundles)


def test_a_kill_anywhere_leaves_whole_bundles_and_the_next_try_succeeds(
    forks: Runner, tmp_path: Path, report: Report
) -> None:
    """Every byte of what has a name is the one that its manifest knows."""
    report(kill_everywhere(forks, scene_of(tmp_path)))


def test_a_disk_that_refuses_is_told_and_costs_no_earlier_bundle(forks: Runner, tmp_path: Path, report: Report) -> None:
    """Exit code 16 with a hint, at each call; never a success with a half bundle."""
    report(refuse_everywhere(forks, scene_of(tmp_path)))
