"""What is due to a receiver: the entries behind its cursor, as messages, in order, and not too many of them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from runbook.engine.notify.memory import Memory, remembered
from runbook.engine.notify.telling import told
from runbook.model.journal import Entry, original
from runbook.model.notification import START, Cursor, Message, Position
from runbook.ports.notify import Following

MOST_DUE = 100
"""So many messages wait for one receiver at most; of more, the oldest are left out, and counted."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message, and where the receiver is once it was told."""

    message: Message
    position: Position
    memory: dict[str, object]
    early: str = ""
    """How it is known again when the journal has adopted its entry, which it refused."""


@dataclass(frozen=True, slots=True)
class Dues:
    """What is due; where the receiver is after all of it; how many older ones were left out, and the last of these."""

    messages: tuple[Due, ...]
    position: Position
    memory: dict[str, object]
    left_out: int = 0
    last_left_out: Due | None = None


def due(following: Following, cursor: Cursor, wants: Callable[[Message], bool]) -> Dues | None:
    """What is due behind the cursor; None where the journal has no such place."""
    entries = following.follow(cursor.position)
    if entries is None:
        return None
    memory, position = remembered(cursor.memory), cursor.position
    waiting: deque[Due] = deque()
    left: list[Due] = []
    found = 0
    for entry, behind in entries:
        position = behind
        message = told(memory, entry)
        if message is not None and wants(message) and _known_by(entry) not in cursor.early:
            waiting.append(Due(message, behind, memory.document()))
            found += 1
            left = [waiting.popleft()] if len(waiting) > MOST_DUE else left
    learned = memory.document()
    for entry in following.waiting():
        message, known_by = told(memory, entry), _known_by(entry)
        if message is not None and wants(message) and known_by not in cursor.early:
            waiting.append(Due(message, position, learned, known_by))
            found += 1
    return Dues(tuple(waiting), position, learned, found - len(waiting), left[0] if left else None)


def _known_by(entry: Entry) -> str:
    meant = original(entry)
    return f"{meant.at.isoformat()} {meant.run} {meant.event.value}"


def begun(following: Following, first: int, why: str) -> Cursor:
    """The cursor of a receiver that begins now: nothing before entry `first` is told, all of it is remembered.

    0 is the end of the journal. What a receiver is told makes sense only with what came before it.
    """
    memory, position = Memory(), START
    for entry, behind in following.follow(START) or ():
        if first and entry.seq >= first:
            break
        told(memory, entry)
        position = behind
    since = f"began with entry {position.seq + 1}: {why}"
    return replace(Cursor(position), memory=memory.document(), since=since)
