"""What holds for every record of an archive or a backup, wherever it stands: checked in batches, in constant memory."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pybase64

from runbook.archive import canonical, explain, limits
from runbook.archive.canonical import Fault
from runbook.archive.digest import ContentDigest
from runbook.archive.kinds import TOMBSTONE, ArchiveKind, Record, RecordKind
from runbook.archive.references import References, Spill
from runbook.errors import DamagedError

if TYPE_CHECKING:
    from runbook.archive.kinds import Key

Place = Callable[[int, int], str]
"""Says where a line of the batch is: its index, and the offset of a byte in it."""

_LONGEST_PATH = 600
DAMAGED_HINT = "use another copy; if it was edited or made by another tool, write it with `runbook export`"


class RecordChecker:
    """Takes the lines of the records in their order, and refuses the first that does not belong there.

    With `since` the archive is of changes: tombstones may stand in it, and bindings may refer to what does not. Without
    `spill` nobody looks whether they do; without `digest` the content is not hashed.
    """

    def __init__(self, kind: ArchiveKind, spill: Spill | None, *, since: bool = False, digest: bool = True) -> None:
        self.counts = dict.fromkeys(kind.types(since=since), 0)
        self.digest = ContentDigest()
        self.last: tuple[int, Key] = (-1, ())
        self.kind = kind
        self._kinds = {name: kind.records[name] for name in self.counts}
        self._references = None if spill is None or since or "binding" not in self._kinds else References(spill)
        self._is_digested = digest

    def close(self) -> None:
        """Let the temporary files of the references vanish."""
        if self._references is not None:
            self._references.close()

    def check(self, lines: Sequence[bytes], place: Place) -> list[Record]:
        """The records of these lines (without line ends).

        Raises:
            DamagedError: one is not what this format has, or not in its place; the message says which and why.
        """
        records: list[Record] = []
        texts: list[tuple[int, str]] = []
        for index, line in enumerate(lines):
            found = self._record(line)
            if isinstance(found, Fault):
                raise damaged(place(index, found.offset or 0), found)
            record, kind = found
            if fault := self._placed(record, kind):
                raise damaged(place(index, 0), fault)
            if (text := canonical.embedding_of(record, kind)) is not None:
                texts.append((index, text))
            records.append(record)
        check_embeddings(texts, place)
        if self._is_digested:
            self.digest = self.digest.plus(lines)
        return records

    def _record(self, line: bytes) -> tuple[Record, RecordKind] | Fault:
        if len(line) > limits.LINE_BYTES:
            return Fault("", f"a record of more than {limits.LINE_BYTES} bytes")
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            return explain.unreadable(line) or Fault("", f"not JSON: {error.msg}")
        name = record.get("type") if type(record) is dict else None
        kind = self._kinds.get(name) if type(name) is str else None
        if kind is None:
            return explain.unreadable(line) or self._unknown_type(name)
        return self._fault(line, record, kind) or (record, kind)

    @staticmethod
    def _fault(line: bytes, record: Record, kind: RecordKind) -> Fault | None:
        if not kind.is_valid(record):
            return explain.unreadable(line) or explain.not_valid(record, kind)
        if orjson.dumps(record) != line or not canonical.is_ordered(record, kind.shape):
            fault = explain.unreadable(line)
            if fault or canonical.encode(record, kind) != line:
                return fault or explain.not_canonical(line, record, kind)
        return canonical.fault_of(record, kind.shape)

    def _unknown_type(self, name: object) -> Fault:
        if name == TOMBSTONE:
            return Fault("type", "a tombstone in an archive that is not of changes")
        return Fault("type", f"not a record of this kind of archive; it has {', '.join(self._kinds)}")

    def _placed(self, record: Record, kind: RecordKind) -> Fault | None:
        key = kind.key_of(record)
        place = (kind.rank, key)
        if place <= self.last:
            again = place == self.last
            return Fault(
                "/".join(key), f"this {kind.name} is there twice" if again else "not in the order of the format"
            )
        self.last = place
        self.counts[kind.name] += 1
        if self._references is not None:
            if kind.name == "episode":
                self._references.episode(key)
            elif kind.name == "concept":
                self._references.concept(key)
            elif missing := self._references.missing(key):
                return Fault(missing, "binds what is not in this archive")
        return None


def check_embeddings(texts: Sequence[tuple[int, str]], place: Place) -> None:
    """Are these embeddings, each with its index in the batch, whole and finite?

    Raises:
        DamagedError: one is not.
    """
    raw: list[bytes] = []
    for index, text in texts:
        try:
            raw.append(pybase64.b64decode(text, validate=True))
        except ValueError as error:
            raise damaged(place(index, 0), Fault("embedding", f"not base64: {error}")) from None
        if len(raw[-1]) != limits.EMBEDDING_BYTES:
            reason = f"{len(raw[-1])} bytes, not {limits.EMBEDDING_BYTES}"
            raise damaged(place(index, 0), Fault("embedding", reason))
    finite = np.isfinite(np.frombuffer(b"".join(raw), "<f4"))
    if not finite.all():
        number = int(np.argmin(finite))
        where = place(texts[number // limits.DIMENSIONS][0], 0)
        raise damaged(where, Fault(f"embedding[{number % limits.DIMENSIONS}]", "not a finite number"))


def damaged(place: str, fault: Fault) -> DamagedError:
    """The refusal of what stands at that place. What was read cannot speak to a terminal through it."""
    text = f"{fault.path[:_LONGEST_PATH]}: {fault.reason}" if fault.path else fault.reason
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return DamagedError(f"{place}: {plain}", hint=DAMAGED_HINT)
