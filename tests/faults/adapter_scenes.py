"""What writes archives, each as a scene, and what has to be true of its folder at any time."""

from pathlib import Path

import deeds
from killing import SCRATCH, Point, Scene, content

from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.verify import verify_backup

NAMES = ["document", "export", "packed_export", "backup", "next_backup"]


def named(folder: Path) -> dict[str, bytes | None]:
    """What has its final name."""
    return {
        name: data for name, data in content(folder).items() if not any(part[0] == "." for part in Path(name).parts)
    }


def check(folder: Path) -> None:
    """Each named result is one of the old ones, or complete."""
    for name, data in named(folder).items():
        path = folder / name
        if name == "document":
            assert data in {deeds.OLD, deeds.NEW}
        elif path.name.startswith("data.json"):
            with opened_export(path) as reader:
                assert reader.read().counts["episode"] == 2
        elif path.suffix == ".backup":
            assert verify_backup(path, 3).level == 3


def scene_of(name: str, tmp_path: Path) -> Scene:
    """The deed, with earlier work beside it."""
    before = tmp_path / "before"
    before.mkdir()
    (before / "document").write_bytes(deeds.OLD)
    if name == "next_backup":
        deeds.backup(before)
    early = {path: data for path, data in named(before).items() if path != "document"}

    def untouched(folder: Path) -> None:
        check(folder)
        assert early.items() <= named(folder).items(), "something earlier was touched"

    again = (0, 13) if name.endswith("backup") else (0,)  # it is there already: only its name was not yet durable
    return Scene(name, [name, "{}"], before, untouched, named, done_again=again, lenient=lenient)


def lenient(point: Point) -> bool:
    """A copy is kept where no hard link can be; a temporary file without a name may be had elsewhere."""
    return point.name == "linkat" or ".ndjson.link" in point.text or f"/{SCRATCH}" in point.text
