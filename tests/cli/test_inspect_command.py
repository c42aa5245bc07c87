"""`runbook inspect`: what is in an archive, read strictly; what differs between two; and every kind of damage named."""

import io
import json
import os
import subprocess
from pathlib import Path

import pyrage
import pytest
import whole_data
from command_line import WORDS, Output, as_process, complaint, document, plain_environment
from terminal import DENIED

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.archive.layout import Header
from runbook.archive.manifest import About
from runbook.archive.packed import PackedWriter
from runbook.archive.writer import ArchiveWriter
from runbook.cli.root import run

UUID = "00000000-0000-4000-8000-000000000001"
ARCHIVE = whole_data.write(
    "dual_memory",
    [
        *(whole_data.episode(f"ep-{number}") for number in range(4)),
        whole_data.episode("ep-0", space="tenant-b"),
        whole_data.concept(UUID),
        whole_data.binding("ep-1", UUID),
    ],
)


def packed(data: bytes) -> bytes:
    """As zstd."""
    out = io.BytesIO()
    writer = PackedWriter(out.write)
    writer.write(data)
    writer.finish()
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole archive."""
    path = tmp_path / "a.json"
    path.write_bytes(ARCHIVE)
    return path


def test_it_says_what_is_in_it_and_what_that_proves(file: Path, capsys: Output) -> None:
    """Counts, spaces, digests, node, snapshot, consistency, level; no target is needed, and nothing is changed."""
    found = document(capsys, "inspect", str(file))["data"]
    assert found["archive"]["counts"] == {"episode": 5, "concept": 1, "binding": 1}
    assert found["spaces"] == {"tenant-a": {"episode": 4, "concept": 1, "binding": 1}, "tenant-b": {"episode": 1}}
    assert (found["level"], found["archive"]["node"], found["archive"]["snapshot"]) == (3, "test", "g1:1")
    assert found["archive"]["content_digest"] == str(whole_data.digest(ARCHIVE))
    assert run(["inspect", str(file)]) == 0
    told = capsys.readouterr().out
    for word in ("5 episodes, 1 concept, 1 binding", "tenant-b: 1 episode", "g1:1 (snapshot)", "level 3"):
        assert word in told


def test_standard_input_is_read_plain_and_packed(state: Path) -> None:
    """Whatever it is called, the first bytes tell."""
    told = set()
    for data in (ARCHIVE, packed(ARCHIVE)):
        done = subprocess.run(
            [*WORDS, "inspect", "-", "--json"],
            input=data,
            env=plain_environment(state),
            capture_output=True,
            check=True,
        )
        found = json.loads(done.stdout)["data"]
        assert found["name"] == "standard input"
        told.add(json.dumps(found))
    assert len(told) == 1


def test_decoded_it_is_for_other_tools(file: Path, capsys: Output) -> None:
    """A line for each record, embeddings as arrays of numbers that give the same float32."""
    assert run(["inspect", str(file), "--decode"]) == 0
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert len(lines) == 7
    assert [len(each["embedding"]) for each in lines if "embedding" in each] == [768] * 6
    assert lines[0]["embedding"][1] == pytest.approx(1e-45)
    assert str(lines[0]["embedding"][0]) == "-0.0"
    for more in (("--json",), ("--compare", str(file))):
        assert run(["inspect", str(file), "--decode", *more]) == 2


def test_two_of_the_same_content_are_the_same_whatever_they_are_called_and_packed(
    file: Path, tmp_path: Path, capsys: Output
) -> None:
    """0; the header does not count: it is the content that is compared."""
    twin, out = tmp_path / "b.zst", io.BytesIO()
    writer = ArchiveWriter(out.write, Header("dual_memory", whole_data.TIME, "another", "g7:9", "fuzzy"))
    for record in whole_data.read(ARCHIVE)[1]:
        writer.add(record)
    writer.finish()
    twin.write_bytes(packed(out.getvalue()))
    found = document(capsys, "inspect", str(file), "--compare", str(twin))["data"]["compared"]
    assert (found["same"], found["differences"]) == (True, {})


def footer(archive: bytes) -> bytes:
    """Its last line."""
    return archive[archive.rindex(b'"footer"') :]


def test_what_differs_is_counted_and_named(file: Path, tmp_path: Path, capsys: Output) -> None:
    """3; to the bit, so that 0.0 is not -0.0; of each type and each kind of difference the first few are named."""
    _, records = whole_data.read(ARCHIVE)
    records = [each for each in records if each.get("id") != "ep-0" and each["type"] != "binding"]
    records[0] = {**records[0], "decay_rate": 0.0}
    records.insert(3, whole_data.episode("ep-9"))
    path = tmp_path / "b.json"
    path.write_bytes(whole_data.write("dual_memory", records))
    found = document(capsys, "inspect", str(file), "--compare", str(path), expect=3)["data"]["compared"]
    assert not found["same"]
    assert found["differences"] == {
        "episode": {
            "only_first": 2,
            "only_second": 1,
            "changed": 1,
            "examples": {
                "first": ["tenant-a/ep-0", "tenant-b/ep-0"],
                "second": ["tenant-a/ep-9"],
                "changed": ["tenant-a/ep-1"],
            },
        },
        "binding": {
            "only_first": 1,
            "only_second": 0,
            "changed": 0,
            "examples": {"first": [f"tenant-a/ep-1/{UUID}"], "second": [], "changed": []},
        },
    }
    assert run(["inspect", str(file), "--compare", str(path)]) == 3
    assert "2 episodes only in the first: tenant-a/ep-0, tenant-b/ep-0" in capsys.readouterr().out


def test_another_kind_is_not_the_same(file: Path, tmp_path: Path, capsys: Output) -> None:
    """Even where both are empty; and two things cannot come from standard input."""
    path = tmp_path / "b.json"
    path.write_bytes(whole_data.write("single_memory", []))
    assert document(capsys, "inspect", str(file), "--compare", str(path), expect=3)["data"]["compared"]["same"] is False
    assert run(["inspect", "-", "--compare", "-"]) == 2


def backup_of(folder: Path, *recipients: str) -> str:
    """A backup of the records of the archive."""
    about = About("prod", whole_data.TIME, "test", "g1:1", "runbook 0.1.0", recipients=recipients)
    return str(create_backup(folder, about, "dual_memory", lines_of(whole_data.read(ARCHIVE)[1], "dual_memory")))


def test_a_backup_is_read_like_an_export(file: Path, tmp_path: Path, capsys: Output) -> None:
    """It has the same content, and can be compared and decoded; an encrypted one with its identity alone."""
    plain = backup_of(tmp_path / "plain")
    exported = document(capsys, "inspect", str(file))["data"]
    found = document(capsys, "inspect", plain)["data"]
    assert found["spaces"] == exported["spaces"]
    assert found["archive"]["content_digest"] == exported["archive"]["content_digest"]
    assert run(["inspect", plain, "--decode"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7
    key = pyrage.x25519.Identity.generate()
    identity = tmp_path / "identity.txt"
    identity.write_text(f"{key}\n")
    identity.chmod(0o600)
    sealed = backup_of(tmp_path / "sealed", str(key.to_public()))
    assert "--identity" in complaint(capsys, "inspect", sealed, expect=13)["hint"]
    compared = document(capsys, "inspect", sealed, "--compare", plain, "--identity", str(identity))["data"]["compared"]
    assert compared["same"]


DAMAGE = {
    "truncated": (ARCHIVE[:-100], "it ends here, without a footer"),
    "a byte of a text": (ARCHIVE.replace(b"ep-2", b"ep-3", 1), "line 6"),
    "a byte of an embedding": (ARCHIVE.replace(b"AAAAgAEAAAD", b"AAAAgAIAAAD", 1), "bytes 0 to"),
    "byte order mark": (b"\xef\xbb\xbf" + ARCHIVE, "byte order mark"),
    "two headers": (ARCHIVE[: ARCHIVE.index(b"\n") + 1] + ARCHIVE, "line 2"),
    "two footers": (ARCHIVE + footer(ARCHIVE), "behind the footer"),
    "empty": (b"", "without a footer"),
    "other tool": (json.dumps(json.loads(ARCHIVE)).encode(), "line 1"),
    "bomb": (packed(b"{" * 50_000_000), "a line of more than"),
    "cut zstd": (packed(ARCHIVE)[:-50], "zstd"),
    "rubbish": (os.urandom(1000), "line 1"),
    "unknown field": (ARCHIVE.replace(b'"content":', b'"contents":', 1), "did you mean content"),
    "NaN": (ARCHIVE.replace(b'"activation":1.0', b'"activation":NaN', 1), "NaN"),
}


@pytest.mark.parametrize(("data", "said"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named_by_its_place(data: bytes, said: str, tmp_path: Path, capsys: Output) -> None:
    """12, and nothing on standard output that looks like an answer."""
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    told = complaint(capsys, "inspect", str(path), expect=12)
    assert said in told["message"]
    assert told["message"].startswith(str(path))
    assert told["hint"]


def test_a_newer_version_is_another_condition(tmp_path: Path, capsys: Output) -> None:
    """17: a newer tool will read it."""
    path = tmp_path / "new.json"
    path.write_bytes(ARCHIVE.replace(b'"version":1', b'"version":2', 1))
    assert "newer" in complaint(capsys, "inspect", str(path), expect=17)["hint"]


def test_what_is_no_file(file: Path, tmp_path: Path, capsys: Output) -> None:
    """Nothing there (2), a symbolic link or a device (16), a folder that is no backup (12)."""
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert run(["inspect", str(tmp_path / "none.json")]) == 2
    assert run(["inspect", str(tmp_path)]) == 12
    capsys.readouterr()
    assert "symbolic link" in complaint(capsys, "inspect", str(link), expect=16)["message"]
    assert complaint(capsys, "inspect", "/dev/null", expect=16)


def test_what_may_not_be_read(file: Path, state: Path) -> None:
    """16, with the owner in the hint."""
    file.chmod(0)
    done = as_process("inspect", str(file), environment=plain_environment(state), prefix=DENIED)
    assert (done.returncode, "permission denied" in done.stderr) == (16, True)


def test_whoever_reads_the_records_may_leave(tmp_path: Path, state: Path) -> None:
    """No traceback."""
    path = tmp_path / "a.json"
    path.write_bytes(whole_data.write("dual_memory", [whole_data.episode(f"ep-{n:03}") for n in range(100)]))
    process = subprocess.Popen(
        [*WORDS, "inspect", str(path), "--decode"],
        env=plain_environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), b"Traceback" in told) == (5, False)
