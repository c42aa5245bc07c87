"""The module that replaces a settings file on the host: compare and set, all or nothing, as it was in all else."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.engram.ops.plugins.modules import settings_file
from ansible_collections.engram.ops.plugins.modules.settings_file import FileProblemError, read, replace

from runbook.material import folder

OLD, NEW = b"[dual_memory]\n", b"[dual_memory]\nenabled = false\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file that its group may read."""
    path = tmp_path / "settings.toml"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def digest(content: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def names(path: Path) -> list[str]:
    """Everything beside the file."""
    return sorted(each.name for each in path.parent.iterdir())


def test_it_is_replaced_as_a_whole(file: Path) -> None:
    """Another inode with the same owner and mode; a second time changes nothing."""
    before = file.stat()
    assert read(file)["sha256"] == digest(OLD)
    assert replace(file, NEW, digest(OLD), check=True)
    assert file.read_bytes() == OLD
    assert replace(file, NEW, digest(OLD), check=False)
    assert not replace(file, NEW, digest(OLD), check=False)
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert (file.read_bytes(), names(file)) == (NEW, ["settings.toml"])


def test_what_was_changed_since_is_left_alone(file: Path) -> None:
    """By whomever."""
    file.write_bytes(b"x = 1\n")
    with pytest.raises(FileProblemError, match="changed since") as caught:
        replace(file, NEW, digest(OLD), check=False)
    assert (caught.value.reason, file.read_bytes()) == ("conflict", b"x = 1\n")


@pytest.mark.parametrize("kind", ["folder", "pipe", "large"])
def test_what_is_no_settings_file_is_refused(file: Path, kind: str) -> None:
    """A pipe must not hang it."""
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(b"#" * (settings_file.LARGEST_FILE + 1))
    with pytest.raises((FileProblemError, IsADirectoryError)):
        read(file)


SCRIPT = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ansible_collections.engram.ops.plugins.modules.settings_file import replace
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
replace(Path(sys.argv[2]), b"#" * 100, sys.argv[3], check=False)
"""


def test_a_disk_that_refuses_leaves_the_old_file(file: Path) -> None:
    """The kernel lets no more than four bytes through: nothing is left of the new one."""
    collections = folder("playbooks") / "collections"
    words = [sys.executable, "-c", SCRIPT, str(collections), str(file), digest(OLD)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert (file.read_bytes(), names(file)) == (OLD, ["settings.toml"])


def test_what_a_killed_one_left_is_cleared_away(file: Path) -> None:
    """And nothing else of that folder."""
    (file.parent / f".settings.toml.x1y2{settings_file.SUFFIX}").write_text("half")
    (file.parent / ".settings.toml.swp").write_text("somebody edits it")
    replace(file, NEW, digest(OLD), check=False)
    assert names(file) == [".settings.toml.swp", "settings.toml"]
