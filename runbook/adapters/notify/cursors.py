"""How far each receiver has been told: `notify/<receiver>.json` in the state folder, written whole at every message."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import private_folder, read_document, safe_name, write_atomic
from runbook.engine.notify.memory import remembered
from runbook.errors import RunbookError
from runbook.model.notification import Cursor, Failure, Position

VERSION = 1
_LIMIT_BYTES = 4 << 20


class FileCursors:
    """`Cursors` in a state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "notify"

    def load(self, receiver: str) -> Cursor | str | None:
        """Its cursor; None where it never had one; what is wrong with it, where it does not read."""
        path = self._path(receiver)
        try:
            data = read_document(path, _LIMIT_BYTES)
        except RunbookError as error:
            return error.message
        if data is None:
            return None
        try:
            return _read(orjson.loads(data))
        except (KeyError, TypeError, ValueError, AttributeError):
            return f"{path} does not read"

    def save(self, receiver: str, cursor: Cursor) -> None:
        """Keep it, durable.

        Raises:
            StorageError: the disk refused.
        """
        path = self._path(receiver)
        private_folder(self._folder)
        write_atomic(path, orjson.dumps(_document(cursor), option=orjson.OPT_APPEND_NEWLINE))

    def _path(self, receiver: str) -> Path:
        return self._folder / f"{safe_name(receiver, 'receiver')}.json"


def _document(cursor: Cursor) -> dict[str, Any]:
    return {
        "version": VERSION,
        "position": {"seq": cursor.position.seq, "size": cursor.position.size, "hash": cursor.position.hash},
        "memory": cursor.memory,
        "since": cursor.since,
        "sent": cursor.sent,
        "given_up": cursor.given_up,
        "left_out": cursor.left_out,
        "sent_at": None if cursor.sent_at is None else cursor.sent_at.isoformat(),
        "early": list(cursor.early),
        "waiting": _failure(cursor.waiting),
        "failed": _failure(cursor.failed),
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else {"seq": failure.seq, "at": failure.at.isoformat(), "why": failure.why}


def _read(document: dict[str, Any]) -> Cursor:
    if document["version"] != VERSION:
        raise ValueError("another version")
    remembered(document["memory"])
    place, sent_at = document["position"], document["sent_at"]
    return Cursor(
        Position(int(place["seq"]), int(place["size"]), str(place["hash"])),
        document["memory"],
        str(document["since"]),
        int(document["sent"]),
        int(document["given_up"]),
        int(document["left_out"]),
        None if sent_at is None else datetime.fromisoformat(sent_at),
        tuple(map(str, document["early"])),
        _read_failure(document["waiting"]),
        _read_failure(document["failed"]),
    )


def _read_failure(document: dict[str, Any] | None) -> Failure | None:
    if document is None:
        return None
    return Failure(int(document["seq"]), datetime.fromisoformat(document["at"]), str(document["why"]))
