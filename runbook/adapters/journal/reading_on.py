"""Reading on from where a reader was, without reading what came before."""

import os
from collections.abc import Iterator

from runbook.adapters.journal.chain import Link, walk
from runbook.adapters.journal.head import Head
from runbook.adapters.journal.place import Snapshot
from runbook.errors import NotSupportedError
from runbook.model.journal import Entry
from runbook.model.notification import START, Position


def is_place(taken: Snapshot | None, start: Position) -> bool:
    """Does the entry of that number and hash end at that byte? A journal that was put aside has other ones."""
    if start == START:
        return True
    last = b',"hash":"%s"}\n' % start.hash.encode()
    offset = start.size - len(last)
    if taken is None or offset < 0 or taken.size < start.size:
        return False
    return os.pread(taken.stream.fileno(), len(last), offset) == last


def behind(taken: Snapshot, start: Position) -> Iterator[tuple[Entry, Position]]:
    """Every entry that reads, in order, with the place behind it."""
    for item in walk(taken.stream, taken.size, Head(start.seq, start.size, start.hash)):
        if not isinstance(item, Link):
            continue
        try:
            entry = item.line.entry()
        except NotSupportedError:
            continue
        yield entry, Position(item.end.seq, item.end.size, item.end.hash)
