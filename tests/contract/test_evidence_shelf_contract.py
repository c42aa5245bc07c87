"""The port `EvidenceShelf`: one suite, run on the folder and on the one in memory."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from runbook.adapters.evidence_shelf import FolderShelf, read_bundle
from runbook.adapters.journal.redaction import clean
from runbook.adapters.memory.shelf import MemoryShelf
from runbook.engine.proof.manifest import digest_of, read_manifest
from runbook.errors import DamagedError, StorageError, UsageError
from runbook.model.bundle import MANIFEST
from runbook.ports import EvidenceShelf

ABOUT = {
    "name": "r1-000009",
    "tool": "0.1.0",
    "rollout": "r1",
    "target": "prod",
    "why": "the end",
    "written_at": "2026-11-02T09:00:00+00:00",
    "journal": {"first": 1, "last": 9, "head": "0" * 64, "waiting": 0},
}
Read = Callable[[str], dict[str, bytes]]


@pytest.fixture(params=["memory", "folder"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[EvidenceShelf, Read]:
    """A shelf, and how what is on it is read."""
    if request.param == "folder":
        return FolderShelf(tmp_path, clean), lambda folder: read_bundle(Path(folder))
    memory = MemoryShelf()
    return memory, lambda folder: memory.bundles[folder]


def test_a_bundle_comes_back_as_it_was_kept(shelf: tuple[EvidenceShelf, Read]) -> None:
    """Documents as JSON, lines byte for byte, and a manifest that names each of them with size and digest."""
    kept, read = shelf
    folder, digest = kept.keep(ABOUT, {"plan.json": {"a": 1}}, {"journal.jsonl": [b"one\n", b"two\n"]})
    files = read(folder)
    manifest = read_manifest(files[MANIFEST])
    assert files.keys() == {MANIFEST, "plan.json", "journal.jsonl"}
    assert (orjson.loads(files["plan.json"]), files["journal.jsonl"]) == ({"a": 1}, b"one\ntwo\n")
    assert digest == manifest.digest == digest_of(files[MANIFEST])
    assert {name: (each.size, each.sha256) for name, each in manifest.files.items()} == {
        name: (len(raw), digest_of(raw)) for name, raw in files.items() if name != MANIFEST
    }


def test_one_that_is_there_is_left_as_it_is(shelf: tuple[EvidenceShelf, Read]) -> None:
    """The journal may not have got the entry of the first one: the second gets a name of its own."""
    kept, read = shelf
    first, _ = kept.keep(ABOUT, {"plan.json": 1}, {})
    second, _ = kept.keep(ABOUT, {"plan.json": 2}, {})
    assert first != second
    assert (read(first)["plan.json"].strip(), read(second)["plan.json"].strip()) == (b"1", b"2")


def test_the_folder_is_for_its_owner_alone_and_keeps_no_secret(tmp_path: Path) -> None:
    """Folders 0700, files 0600; what looks like a token is masked."""
    folder, _ = FolderShelf(tmp_path, clean).keep(ABOUT, {"plan.json": {"api_token": "hunter2"}}, {})
    place = Path(folder)
    assert place.parent == tmp_path / "evidence"
    assert {each.stat().st_mode & 0o777 for each in (place, place.parent)} == {0o700}
    assert {each.stat().st_mode & 0o777 for each in place.iterdir()} == {0o600}
    assert b"hunter2" not in (place / "plan.json").read_bytes()


def test_a_disk_that_refuses_leaves_nothing(tmp_path: Path) -> None:
    """Neither a part of the bundle nor a draft of it."""
    shelf = FolderShelf(tmp_path, clean)
    with pytest.raises(StorageError):
        shelf.keep(ABOUT, {}, {"n" * 300: [b"x"]})
    assert list((tmp_path / "evidence").iterdir()) == []


def test_a_draft_of_a_process_that_is_gone_is_cleared_up_and_of_one_that_lives_is_not(tmp_path: Path) -> None:
    """Killed in the middle it leaves a hidden folder, which the next one removes."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    for pid in (gone.pid, os.getpid()):
        (tmp_path / "evidence" / f".r0.{pid}-0123456789ab.draft").mkdir(parents=True)
    FolderShelf(tmp_path, clean).keep(ABOUT, {}, {})
    assert sorted(each.name for each in (tmp_path / "evidence").iterdir()) == [
        f".r0.{os.getpid()}-0123456789ab.draft",
        "r1-000009",
    ]


def test_what_is_no_file_is_damage_and_what_is_not_there_is_a_wrong_word(tmp_path: Path) -> None:
    """A link could lead anywhere."""
    folder, _ = FolderShelf(tmp_path, clean).keep(ABOUT, {}, {})
    (Path(folder) / "plan.json").symlink_to("/etc/hostname")
    with pytest.raises(DamagedError, match=r"plan\.json: it is no file"):
        read_bundle(Path(folder))
    with pytest.raises(UsageError, match="there is no bundle"):
        read_bundle(tmp_path / "nowhere")
