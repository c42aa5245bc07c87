"""What faults have changed, kept in the node's database: after `kill -9` the node still knows what to put back."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from runbook.model.settings import Value, same
from runbook.sandbox.engine import Engine
from runbook.sandbox.store import Transaction

_PREFIX = "fault "


@dataclass(frozen=True, slots=True)
class Note:
    """One fault: the values that it set and those that stood there before, by key, and how it was asked for."""

    set: dict[str, Any]
    before: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)


def notes(engine: Engine) -> dict[str, Note]:
    """Every fault that has changed something and did not put it back yet."""
    found = engine.store.reader.execute("SELECT key, value FROM meta WHERE key LIKE ? || '%'", (_PREFIX,)).fetchall()
    return {key.removeprefix(_PREFIX): Note(**orjson.loads(value)) for key, value in found}


async def take(engine: Engine, fault: str, wanted: Mapping[str, Value], parameters: Mapping[str, Any]) -> None:
    """Set the values through the node's settings; what stood there before is durable first.

    Raises:
        StorageError: the disk refused.
    """
    before = {key: engine.settings.values[key] for key in wanted}
    await _write(engine, {fault: Note(dict(wanted), before, dict(parameters))})
    await asyncio.wrap_future(engine.settings.change(wanted))


async def give_back(engine: Engine, fault: str) -> None:
    """Put each value back that is still as the fault set it; what somebody set since stays.

    Where another fault found the value of this one, it is told what stood there before.

    Raises:
        StorageError: the disk refused; asking again is safe.
    """
    known = notes(engine)
    note = known.pop(fault, None)
    if note is None:
        return
    untouched = [key for key, value in note.set.items() if same(engine.settings.values[key], value)]
    if untouched:
        await asyncio.wrap_future(engine.settings.change({key: note.before[key] for key in untouched}))
    others: dict[str, Note | None] = {}
    for name, other in known.items():
        found = {key: note.before[key] for key, value in note.set.items() if same(other.before.get(key), value)}
        if found:
            others[name] = replace(other, before={**other.before, **found})
    await _write(engine, {**others, fault: None})


async def _write(engine: Engine, changes: Mapping[str, Note | None]) -> None:
    def write(transaction: Transaction) -> None:
        for fault, note in changes.items():
            transaction.execute("DELETE FROM meta WHERE key = ?", (_PREFIX + fault,))
            if note is not None:
                transaction.execute("INSERT INTO meta VALUES (?, ?)", (_PREFIX + fault, orjson.dumps(asdict(note))))

    await asyncio.wrap_future(engine.store.write(write))
