"""Is every entry there, in order, as it was written, up to the sealed head?"""

from collections.abc import Iterator

from runbook.adapters.journal.chain import Link, Torn, walk
from runbook.adapters.journal.head import EMPTY, Head
from runbook.adapters.journal.place import Snapshot
from runbook.model.journal import Damage, JournalState


def items(taken: Snapshot) -> Iterator[Link | Damage | Torn]:
    """Every line of the snapshot, and after them what is wrong with the head, if anything is."""
    if isinstance(taken.head, str):
        yield from walk(taken.stream, taken.size)
        yield Damage(0, 0, taken.head)
        return
    reached, last, damaged = taken.head == EMPTY, 0, False
    for item in walk(taken.stream, taken.size):
        if isinstance(item, Torn) and item.byte < taken.head.size:
            yield Damage(item.line, item.byte, "it is cut short, though it was finished")
            damaged = True
            continue
        if isinstance(item, Link):
            reached, last = reached or item.end == taken.head, item.end.seq
        elif isinstance(item, Damage):
            damaged, last = True, last + 1
        yield item
    if not reached and (last < taken.head.seq or not damaged):
        yield Damage(0, min(taken.size, taken.head.size), not_reached(taken.head, last))


def not_reached(head: Head, last: int) -> str:
    """What is wrong where the file, which ends with entry `last`, has no entry that ends as the head knows it."""
    if last < head.seq:
        return f"the sealed head knows {head.seq} entries, the file ends with entry {last}: its end was cut off"
    return f"the sealed head knows an entry {head.seq} that ends at byte {head.size}; no such entry ends there"


def inspect(path: str, taken: Snapshot) -> JournalState:
    """The whole journal looked through."""
    entries, head, torn = 0, EMPTY.hash, ""
    damage: list[Damage] = []
    for item in items(taken):
        if isinstance(item, Link):
            entries, head = entries + 1, item.end.hash
        elif isinstance(item, Torn):
            torn = str(item)
        else:
            damage.append(item)
    return JournalState(path, entries, head, tuple(damage), torn)
