"""Files that are there whole or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from runbook.adapters.files import private_folder, read_document, refusal, safe_name, write_atomic
from runbook.errors import StorageError, UsageError

TOO_LARGE = """
import resource, sys
from pathlib import Path
from runbook.adapters.files import write_atomic
from runbook.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write_atomic(Path(sys.argv[1]), b"n" * 101)
except StorageError as error:
    print(error.message)
"""


def names_in(folder: Path) -> list[str]:
    """What lies in the folder."""
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_read_and_only_the_owner_may(tmp_path: Path) -> None:
    """0600, and no draft is left."""
    write_atomic(tmp_path / "file", b"one")
    write_atomic(tmp_path / "file", b"two")
    assert read_document(tmp_path / "file") == b"two"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    """A real limit of the kernel, met in the middle of the write."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", TOO_LARGE, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "larger than is allowed" in done.stdout, done.stderr
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_disk_that_gives_back_other_bytes_is_found_before_the_old_file_goes(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """Read back before the rename."""
    (tmp_path / "file").write_bytes(b"old")
    mocker.patch("os.pread", return_value=b"nex")
    with pytest.raises(StorageError, match="input/output error"):
        write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_write_replaces_a_symbolic_link_and_a_read_refuses_it(tmp_path: Path) -> None:
    """Whatever it points to stays as it is."""
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(StorageError, match="symbolic link"):
        read_document(tmp_path / "link")
    write_atomic(tmp_path / "link", b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert read_document(tmp_path / "link") == b"ours"


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    """A pipe does not hang the reader, a folder is no file, and a giant is not loaded."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "giant").write_bytes(b"x" * 11)
    for name in ("pipe", "folder", "giant"):
        with pytest.raises(StorageError, match=name):
            read_document(tmp_path / name, limit=10)
    assert read_document(tmp_path / "nothing") is None


def test_a_folder_is_made_private_and_one_that_is_there_is_kept(tmp_path: Path) -> None:
    """The administrator's own mode is not changed."""
    assert private_folder(tmp_path / "a").stat().st_mode & 0o777 == 0o700
    (tmp_path / "b").mkdir()
    (tmp_path / "b").chmod(0o750)
    assert private_folder(tmp_path / "b").stat().st_mode & 0o777 == 0o750
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="make the folder"):
        private_folder(tmp_path / "file" / "c")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "permission denied"),
        (errno.EIO, "input/output error"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_every_refusal_names_the_path_and_the_reason_in_words(number: int, words: str, tmp_path: Path) -> None:
    """And the code is 16."""
    error = refusal(OSError(number, os.strerror(number)), tmp_path / "file", "write")
    assert str(tmp_path / "file") in error.message
    assert words in error.message
    assert error.code == 16


@given(st.text())
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    """Or it is refused (exit code 2)."""
    try:
        safe_name(name, "target")
    except UsageError:
        return
    assert (Path("/folder") / f"{name}.json").resolve().parent == Path("/folder")
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\0b", "a\n", "x" * 101, "-rf", "é"])
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    """Also one that a shell would take for an option, and one that is too long."""
    with pytest.raises(UsageError, match="target"):
        safe_name(name, "target")
