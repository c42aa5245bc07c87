"""One line of the journal: JSON whose last member is the SHA-256 of all the raw bytes before it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from runbook.adapters.journal.redaction import clean
from runbook.errors import NotSupportedError
from runbook.model.journal import Entry, Event

KEYS = ("seq", "prev", "at", "event", "run", "who", "where", "details", "hash")
_TYPES = [int, str, str, str, str, str, str, dict, str]  # as orjson makes them; True is no number
NOTHING = "0" * 64  # what stands where the first line has no line before it

_TAIL = b',"hash":"%s"}\n'
_TAIL_LENGTH = len(_TAIL) - 2 + 64


@dataclass(frozen=True, slots=True)
class Line:
    """One line that fits its own hash; whether it fits the line before is another question."""

    seq: int
    prev: str
    hash: str
    raw: bytes
    document: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """What was parsed of `raw` already, so that nobody does it twice."""

    def entry(self) -> Entry:
        """What it says.

        Raises:
            NotSupportedError: a newer version of this tool wrote it.
        """
        document: Mapping[str, Any] = orjson.loads(self.raw) if self.document is None else self.document
        try:
            return Entry(
                seq=self.seq,
                at=datetime.fromisoformat(document["at"]),
                event=Event(document["event"]),
                run=document["run"],
                who=document["who"],
                where=document["where"],
                details=document["details"],
            )
        except (TypeError, ValueError) as error:
            raise NotSupportedError(
                f"entry {self.seq} of the journal is not understood: {error}",
                hint="a newer version of this tool wrote it: use that one",
            ) from error


def written(entry: Entry, prev: str) -> Line:
    """The line of the entry, after the line with the hash `prev`. What looks like a secret is masked."""
    body = orjson.dumps(
        {
            "seq": entry.seq,
            "prev": prev,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "event": entry.event.value,
            "run": clean(entry.run),
            "who": clean(entry.who),
            "where": clean(entry.where),
            "details": clean(entry.details),
        }
    )[:-1]
    digest = hashlib.sha256(body).hexdigest()
    return Line(entry.seq, prev, digest, body + _TAIL % digest.encode())


def read(raw: bytes) -> Line | str:
    """The line in these bytes, newline included; or what is wrong with them."""
    body = raw[:-_TAIL_LENGTH]
    digest = hashlib.sha256(body).hexdigest()
    if raw[-_TAIL_LENGTH:] != _TAIL % digest.encode():
        return "its content does not fit its hash: it was edited, or it is no entry at all"
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return f"it is not JSON: {error}"
    if not _is_entry(document):
        return "it is not an entry of a journal"
    return Line(document["seq"], document["prev"], digest, raw, document)


def _is_entry(document: Any) -> bool:
    """Has it every member, in order, each of its type? In one comparison, for a long journal is read by this."""
    if not isinstance(document, Mapping) or tuple(document) != KEYS:
        return False
    return [type(each) for each in document.values()] == _TYPES
