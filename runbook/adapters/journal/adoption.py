"""Entries of the second place are written into the journal, each exactly once."""

from runbook.adapters.journal.chain import Link, walk
from runbook.adapters.journal.head import EMPTY
from runbook.adapters.journal.place import Place
from runbook.adapters.journal.second import Waiting
from runbook.model.journal import Event


def not_yet_adopted(place: Place, size: int, waiting: list[Waiting]) -> list[Waiting]:
    """Those whose id is not in the first `size` bytes of the journal.

    Whoever adopted them before may have been killed between writing them here and removing them there. The caller
    holds the lock.
    """
    if not waiting:
        return []
    with place.journal.open("rb") as stream:
        links = (item for item in walk(stream, size, EMPTY) if isinstance(item, Link))
        known = {_id(link) for link in links if b'"journal.adopted"' in link.line.raw}
    return [each for each in waiting if each.id not in known]


def _id(link: Link) -> str:
    entry = link.line.entry()
    return str(entry.details.get("id", "")) if entry.event is Event.JOURNAL_ADOPTED else ""
