"""What is not an archive of ours, by accident or on purpose: refused with its place, in bounded time and memory."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_records import CONCEPTS, NOW, binding, concept, dual, embedding, episode, header, opened, written

from runbook.adapters.archives.exports import opened_export, write_export
from runbook.archive import limits
from runbook.archive.reader import ArchiveReader
from runbook.errors import DamagedError, ExitCode, NotSupportedError, StorageError

EPISODE_LINE = 3


def lines() -> list[bytes]:
    """The lines of a small archive."""
    return written("dual_memory", dual()).split(b"\n")


def with_episode(**changes: object) -> bytes:
    """An archive whose second episode was changed behind the writer's back."""
    import orjson  # noqa: PLC0415 - as the writer does it, but unchecked

    found = lines()
    found[EPISODE_LINE] = orjson.dumps({**episode("ep_2"), **changes}) + b","
    return b"\n".join(found)


def edited(old: bytes, new: bytes) -> bytes:
    """An archive whose second episode was edited as text."""
    found = lines()
    assert old in found[EPISODE_LINE]
    found[EPISODE_LINE] = found[EPISODE_LINE].replace(old, new, 1)
    return b"\n".join(found)


def nested(depth: int) -> bytes:
    """An object that deep."""
    return b'{"a":' * depth + b"1" + b"}" * depth


PROVENANCE = b'{"model":"hash","version":1}'
REFUSALS = {
    "not UTF-8": (edited(b"Met Ada", b"Met \xff\xfe"), r"line 4, byte \d+: not UTF-8: byte 0xff"),
    "overlong UTF-8": (edited(b"Met Ada", b"\xc0\xaf"), "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf" + written("dual_memory", dual()), "line 1, byte 0: a byte order mark"),
    "UTF-16": (written("dual_memory", dual()).decode().encode("utf-16"), "line 1, byte 0: not UTF-8"),
    "lone surrogate": (edited(b"Met Ada", b"Met \\ud800"), r"line 4, byte \d+: a lone surrogate"),
    "NaN": (edited(b'"activation":0.5', b'"activation":NaN'), "NaN is not JSON"),
    "Infinity": (edited(b'"activation":0.5', b'"activation":-Infinity'), "-Infinity is not JSON"),
    "1e400": (edited(b'"activation":0.5', b'"activation":1e400'), "1e400 is out of range"),
    "2^64": (
        edited(b'"recall_count":2', b'"recall_count":18446744073709551616'),
        "18446744073709551616 is out of range",
    ),
    "negative count": (with_episode(recall_count=-1), "line 4.*recall_count: "),
    "fraction in a count": (with_episode(recall_count=2.0), "recall_count: a count is written without"),
    "whole number for a fraction": (with_episode(activation=1), "activation: a number that may have a fraction"),
    "above 1": (with_episode(activation=1.5), "activation: "),
    "10^6 digits": (edited(b'"recall_count":2', b'"recall_count":' + b"2" * 10**6), "number of 1000000 digits"),
    "10^6 digits of a fraction": (edited(b'"activation":0.5', b'"activation":0.' + b"5" * 10**6), "not written as"),
    "other digits": (edited(b'"activation":0.5', b'"activation":0.50'), r"line 4, byte \d+: not written as"),
    "spaces": (edited(b'"activation":0.5', b'"activation": 0.5'), "not written as"),
    "escapes": (edited(b"Met Ada", b"\\u004det Ada"), "not written as"),
    "duplicate key": (
        edited(b'"activation":0.5', b'"activation":0.5,"activation":0.5'),
        "activation: the key is there tw",
    ),
    "duplicate nested key": (edited(b'"mood":"calm"', b'"mood":"a","mood":"b"'), "mood: the key is there twice"),
    "unknown field": (edited(b'"vividness_confidence"', b'"vividnes_confidence"'), "did you mean vividness_confidence"),
    "missing field": (edited(b'"recall_count":2,', b""), "recall_count"),
    "order of keys": (
        edited(b'"id":"ep_2","space":"default"', b'"space":"default","id":"ep_2"'),
        "line 4, byte 4.*not written as",
    ),
    "depth 33": (edited(PROVENANCE, nested(33)), "nested deeper than 32"),
    "depth 100 000": (edited(PROVENANCE, nested(100_000)), "nested deeper than 32"),
    "depth of open brackets": (edited(PROVENANCE, b"[" * 900_000), "nested deeper than 32"),
    "record over 1 MiB": (edited(b"Met Ada", b"x" * limits.LINE_BYTES), "more than 1048576 bytes|more than 1048577"),
    "short embedding": (with_episode(embedding=embedding()[:-4]), "embedding: "),
    "padded embedding": (with_episode(embedding=embedding()[:-1] + "="), "embedding: "),
    "no base64": (with_episode(embedding=embedding()[:-1] + "-"), "embedding: not base64"),
    "NaN in an embedding": (
        with_episode(embedding=embedding(0.0, float("nan"))),
        r"line 4.*embedding\[1\]: not a finite",
    ),
    "infinity in an embedding": (with_episode(embedding=embedding(float("-inf"))), r"embedding\[0\]: not a finite"),
    "duplicate id": (with_episode(id="ep_1"), "default/ep_1: this episode is there twice"),
    "out of order": (with_episode(id="ep_0"), "default/ep_0: not in the order"),
    "empty id": (with_episode(id=""), "line 4.*id: "),
    "control character in an id": (with_episode(id="ep_2\n"), "line 4.*id: "),
    "id of 257 bytes": (with_episode(id="\u00fc" * 129), "id: longer than 256 bytes"),
    "no such day": (with_episode(when="2026-02-30T00:00:00.000000Z"), "when: there is no such day"),
    "no such hour": (with_episode(when="2026-02-20T24:00:00.000000Z"), "line 4.*when: "),
    "number in metadata": (with_episode(metadata={"a": 1}), "metadata.a: "),
    "other type": (with_episode(type="memory"), "type: not a record of this kind"),
    "type is a list": (with_episode(type=["episode"]), "type: not a record of this kind"),
    "no object": (edited(lines()[EPISODE_LINE], b"[],"), "type: not a record of this kind"),
    "comma missing": (b"\n".join([*lines()[:2], lines()[2][:-1], *lines()[3:]]), "a comma is missing"),
    "comma too many": (b"\n".join(lines()).replace(b"}\n],", b"},\n],"), "a record must follow the comma"),
    "two headers": (b"\n".join([lines()[0], *lines()]), 'line 2.*"records"'),
    "header among records": (b"\n".join([*lines()[:3], lines()[0], *lines()[3:]]), "line 4"),
    "two footers": (b"\n".join([*lines()[:-1], lines()[-2], b""]), "something stands behind the footer"),
    "two archives": (b"\n".join(lines()) * 2, "something stands behind the footer"),
    "other JSON": (b'{\n  "archive": {}\n}\n', "line 1, byte 0: not an archive in the layout"),
    "no JSON": (b"PK\x03\x04\n", "not an archive in the layout"),
    "empty": (b"", "it ends here, without a footer"),
    "all in one line": (b'{"archive":{},"records":[]}', "line 1"),
    "other kind": (b"\n".join(lines()).replace(b"dual_memory", b"tri_memory_", 1), "archive.kind"),
    "other schema": (lines()[0].replace(b'"schema_sha256":"', b'"schema_sha256":"0')[:-4] + b'"},\n', "schema_sha256"),
    "zstd without frame": (b"\x28\xb5\x2f\xfd", "the header of a zstd frame|no zstd frame"),
    "loose binding": (
        b"\n".join(lines()).replace(b'"episode_id":"ep_2"', b'"episode_id":"ep_3"'),
        "episode_id: binds what",
    ),
    "loose concept": (
        b"\n".join(lines()).replace(f'"concept_id":"{CONCEPTS[0]}"'.encode(), f'"concept_id":"{CONCEPTS[1]}"'.encode()),
        "concept_id: binds what",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_ours_is_refused_with_its_place(name: str) -> None:
    """Exit code 12, and words that say where and why; never what somebody remembered."""
    data, wanted = REFUSALS[name]
    with pytest.raises(DamagedError, match=wanted) as refusal:
        opened(data).read()
    assert refusal.value.code is ExitCode.DAMAGED
    assert refusal.value.message.startswith("test.json: ")
    assert len(refusal.value.message) < 500
    assert refusal.value.hint
    assert "Ada at the ferry" not in refusal.value.message


def test_a_refusal_cannot_speak_to_the_terminal() -> None:
    """Control characters of what was read are not printed."""
    for data in (with_episode(metadata={"\x1b[2J": 1}), with_episode(**{"\x1b]0;x\x07": 1})):
        with pytest.raises(DamagedError, match="line 4") as refusal:
            opened(data).read()
        assert refusal.value.message.isprintable()


def test_a_newer_version_is_not_damage() -> None:
    """Exit code 17."""
    data = written("dual_memory", dual()).replace(b'"version":1', b'"version":2', 1)
    with pytest.raises(NotSupportedError) as refusal:
        opened(data)
    assert refusal.value.code == 17


def test_bindings_are_looked_up_in_their_own_space() -> None:
    """An episode or a concept of another space is not what is bound."""
    spaces = ["a", "b", "d"]
    episodes = [episode("ep_1", space=space) for space in spaces]
    concepts = [concept(CONCEPTS[number], space=space) for number, space in enumerate(spaces)]
    good = [binding("ep_1", CONCEPTS[number], space=space) for number, space in enumerate(spaces)]
    opened(written("dual_memory", [*episodes, *concepts, *good])).read()
    for ends in (
        ("ep_1", CONCEPTS[1], "a"),
        ("ep_1", CONCEPTS[0], "b"),
        ("ep_1", CONCEPTS[0], "c"),
        ("ep_2", CONCEPTS[1], "b"),
    ):
        bad = written("dual_memory", [*episodes, *concepts, binding(*ends[:2], space=ends[2])])
        with pytest.raises(DamagedError, match="binds what is not"):
            opened(bad).read()


CHILD = """
import sys, tempfile, time, resource
sys.path.insert(0, sys.argv[1])
from test_archive_hostile import BOMBS
from runbook.archive.reader import ArchiveReader
from runbook.errors import DamagedError
from archive_records import dual, opened, written
opened(written("dual_memory", dual())).read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, bomb in BOMBS.items():
    started = time.process_time()
    try:
        ArchiveReader(bomb(), name, tempfile.TemporaryFile).read()
        print(name, "was not refused")
    except DamagedError as error:
        pass
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    if grown > 128 or time.process_time() - started > 5:
        print(name, grown, "MiB", time.process_time() - started, "s")
print("end")
"""


def zstd_bomb(window: int, blocks: int = 81_920) -> bytes:
    """A frame of 10 GiB of zeros in 320 KiB: blocks that say `128 KiB of this byte`."""
    frame = b"\x28\xb5\x2f\xfd" + bytes([0b100, window])
    block = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return frame + block * blocks + b"\1\0\0" + b"\0" * 4


def endless(start: bytes, more: bytes) -> Iterator[bytes]:
    """The start, then more of the same: 20 GB."""
    yield start
    for _ in range(20_000):
        yield more


def keys(count: int) -> bytes:
    """That many different keys."""
    return b"".join(b'"k%d":1,' % number for number in range(count))


def numbers(count: int) -> bytes:
    """That many different numbers, all of them out of range."""
    return b"".join(b"1e%d," % number for number in range(100_000, 100_000 + count))


def header_lines() -> bytes:
    """What stands before the first record."""
    return header("dual_memory").line() + b'\n"records":[\n'


BOMBS = {
    "10 GiB of zeros": lambda: iter([zstd_bomb(0x58)]),
    "a window of 2 GiB": lambda: iter([zstd_bomb(0xA8)]),
    "a line without end": lambda: endless(header_lines(), b"x" * limits.MIB),
    "a header without end": lambda: endless(b'{"archive":', b"[" * limits.MIB),
    "a footer without end": lambda: endless(header_lines() + b'],\n"footer":', b"[" * limits.MIB),
    "empty lines without end": lambda: endless(header_lines(), b"\n" * limits.MIB),
    "open brackets": lambda: iter([header_lines() + b"[" * 1_000_000 + b"\n"]),
    "open texts": lambda: iter([header_lines() + b'"\\' * 500_000 + b"\n"]),
    "many keys": lambda: iter([header_lines() + b"{" + b'"a":1,' * 170_000 + b'"b":1}\n']),
    "many different keys": lambda: iter([header_lines() + b"{" + keys(90_000) + b'"k7":1}\n']),
    "long numbers": lambda: iter([header_lines() + b"[" + b"9" * 1_000_000 + b"]\n"]),
    "many numbers": lambda: iter([header_lines() + b"[" + b"1e400," * 170_000 + b"1]\n"]),
    "many different numbers": lambda: iter([header_lines() + b"[" + numbers(110_000) + b"1]\n"]),
    "one long text": lambda: iter([header_lines() + b'{"a":"' + b"a" * 1_000_000 + b'"}\n']),
}


def test_bombs_are_refused_in_bounded_time_and_memory() -> None:
    """10 GiB of zeros, lines without end, depth and digits: each within 128 MiB and five seconds of CPU."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
        resource.setrlimit(resource.RLIMIT_AS, (2 * limits.GIB, 2 * limits.GIB))

    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False, env=environment)
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr[-2000:]


def test_a_file_that_cannot_be_read_is_a_matter_of_storage(tmp_path: Path) -> None:
    """Exit code 16: missing, a folder, a pipe, a symbolic link."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("missing", ".", "pipe", "link"):
        with pytest.raises(StorageError), opened_export(tmp_path / name):
            pass


def test_a_refused_write_leaves_what_was_there(tmp_path: Path) -> None:
    """Records out of order: the earlier export is untouched, no draft stays, and its mode is private."""
    path = tmp_path / "backup.json"
    write_export(path, header("dual_memory"), dual())
    before = path.read_bytes()
    with pytest.raises(DamagedError):
        write_export(path, header("dual_memory"), [episode("b"), episode("a")])
    with pytest.raises(DamagedError):  # the writer takes it, the reader does not: read back before it counts
        write_export(path, header("dual_memory"), [episode(when=NOW[:-1])])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["backup.json"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_changes_while_it_is_read_is_damage(tmp_path: Path) -> None:
    """A file that is rewritten under the reader."""
    path = tmp_path / "backup.json"
    write_export(path, header("dual_memory"), [episode(f"ep_{number:04d}") for number in range(600)])
    with opened_export(path) as reader, pytest.raises(DamagedError):  # noqa: PT012 - the change is part of it
        batches = reader.batches()
        next(batches)
        path.write_bytes(path.read_bytes().replace(b"Met Ada", b"Met Bob"))
        list(batches)


def test_a_stream_is_read_piece_by_piece() -> None:
    """A reader takes chunks of any size, such as a pipe gives."""
    data = written("dual_memory", dual())
    pieces = (data[at : at + 3] for at in range(0, len(data), 3))
    assert ArchiveReader(pieces, "pipe", tempfile.TemporaryFile).read().bytes < len(data)
