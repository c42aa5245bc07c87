"""What archives of changes say, in a form that can be compared, joined and narrowed. Pure but for its readers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import orjson

from runbook.archive.digest import ContentDigest
from runbook.archive.reader import ArchiveReader
from runbook.model.migration import Key, Record

TEXTS = frozenset({"episode", "memory"})


@dataclass(frozen=True, slots=True)
class Contents:
    """The records by their content digest, the tombstones by what they are of: their numbers are each node's own."""

    digest: ContentDigest
    tombstones: frozenset[tuple[str, str, str, str]]

    @property
    def count(self) -> int:
        """Records and tombstones."""
        return self.digest.count + len(self.tombstones)


def contents(reader: ArchiveReader) -> Contents:
    """What the archive says, read to its end.

    Raises:
        DamagedError: it is damaged.
    """
    digest, gone = ContentDigest(), set()
    for batch in reader.batches():
        digest = digest.plus([orjson.dumps(each) for each in batch if each["type"] != "tombstone"])
        gone |= {tombstone_of(each) for each in batch if each["type"] == "tombstone"}
    return Contents(digest, frozenset(gone))


def tombstone_of(record: Record) -> tuple[str, str, str, str]:
    """What a tombstone is of: space, kind, id, and the concept's id of a binding."""
    return (record["space"], record["of"], record["id"], record["concept_id"])


def text_print(record: Record) -> bytes:
    """By which an episode or memory is known again: its key, its words and its embedding; 16 bytes."""
    told = "\0".join((record["space"], record["id"], record["content"], record["embedding"]))
    return sha256(told.encode("utf-8", "surrogatepass")).digest()[:16]


def prints(reader: ArchiveReader) -> frozenset[bytes]:
    """Those of every text in the archive: about 100 bytes of memory for each."""
    return frozenset(text_print(each) for each in records(reader) if each["type"] in TEXTS)


def records(reader: ArchiveReader) -> Iterator[Record]:
    """Every record, one by one."""
    for batch in reader.batches():
        yield from batch


def keys_in(found: Iterable[Record]) -> frozenset[Key]:
    """Space and id of every text, and of every text that was forgotten."""
    return frozenset((each["space"], each["id"]) for each in found)


def residue_of(found: Iterable[Record], keys: frozenset[Key]) -> Iterator[Record]:
    """Of residue, what converting those memories needs: the rest of each, be it an episode or was it a concept."""
    for each in found:
        was_memory = each["type"] == "episode" or (each["type"] == "concept" and each["fingerprint"] is not None)
        if was_memory and (each["space"], each["id"]) in keys:
            yield each
