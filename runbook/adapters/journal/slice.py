"""A part of a journal by itself: its lines as they are on the disk, from one on, with their chain followed."""

from dataclasses import dataclass
from io import BytesIO

from runbook.adapters.journal.chain import Link, walk
from runbook.adapters.journal.head import Head
from runbook.adapters.journal.line import NOTHING, read
from runbook.errors import DamagedError
from runbook.model.journal import Entry


@dataclass(frozen=True, slots=True)
class JournalSlice:
    """Lines, the entries that they are, and the hash of the last one."""

    raw: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    head: str


def follow(raw: bytes, name: str) -> JournalSlice:
    """The lines in these bytes (there may be none), each of which fits its own hash and follows the one before it.

    Raises:
        DamagedError: one does not, or the last one is cut short; line and byte are named, and `name` as the file.
        NotSupportedError: a newer version of this tool wrote an entry.
    """
    if not raw:
        return JournalSlice((), (), NOTHING)
    first = read(raw[: raw.find(b"\n") + 1])
    if isinstance(first, str):
        raise DamagedError(f"{name}: line 1, byte 0: {first}")
    lines: list[bytes] = []
    entries: list[Entry] = []
    head = first.prev
    for item in walk(BytesIO(raw), len(raw), Head(first.seq - 1, 0, first.prev)):
        if not isinstance(item, Link):
            told = getattr(item, "what", "it is cut short, though it was finished")
            raise DamagedError(f"{name}: line {item.line - first.seq + 1}, byte {item.byte}: {told}")
        lines.append(item.line.raw)
        entries.append(item.line.entry())
        head = item.line.hash
    return JournalSlice(tuple(lines), tuple(entries), head)
