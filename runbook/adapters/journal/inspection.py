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
    reached, damaged = taken.head == EMPTY, False
    for item in walk(taken.stream, taken.size):
        reached = reached or (isinstance(item, Link) and item.end == taken.head)
        damaged = damaged or isinstance(item, Damage)
        if isinstance(item, Torn) and item.byte < taken.head.size:
            yield Damage(item.line, item.byte, "it is cut short, though it was finished")
        else:
            yield item
    if taken.size < taken.head.size or not (reached or damaged):
        yield Damage(0, min(taken.size, taken.head.size), _not_reached(taken.head, taken.size))


def _not_reached(head: Head, size: int) -> str:
    if size < head.size:
        return (
            f"the sealed head knows {head.seq} entries in {head.size} bytes, the file has {size}: its end was cut off"
        )
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
