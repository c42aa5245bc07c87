"""What a node answers about its data, as errors of ours: each status of the operations contract has one meaning."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from runbook.errors import (
    DamagedError,
    LockedError,
    NotSupportedError,
    RefusedError,
    RunbookError,
    StorageError,
    UnreachableError,
)
from runbook.model.generation import WrittenSinceError
from runbook.wire import NoReplyError, Reply
from runbook.wire.exchange import printable

_DONE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_NO_SUCH_PART = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_NO_ENTRY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def accepted(node: str, reply: Reply) -> Reply:
    """This reply, where the node did what it was asked.

    Raises:
        NotSupportedError, RefusedError, LockedError, DamagedError, StorageError, WrittenSinceError: it says why not.
        NoReplyError: it did not get so far; perhaps it would when asked again.
    """
    if reply.status in _DONE:
        return reply
    error = _error_of(reply)
    said, hint = printable(str(error.get("message", ""))), printable(str(error.get("hint", "")))
    told = f"node {node}: {said or f'HTTP {reply.status}'}"
    match reply.status:
        case HTTPStatus.NOT_FOUND if error.get("code") in {"GENERATION_NOT_FOUND", "SPACE_NOT_FOUND"}:
            raise RefusedError(told, hint=hint)
        case HTTPStatus.PRECONDITION_FAILED if type(error.get("sequence")) is int:
            raise WrittenSinceError(told, error["sequence"], hint=hint)
        case HTTPStatus.INSUFFICIENT_STORAGE:
            raise StorageError(told, hint=hint or f"make room on the disk of node {node}")
        case _:
            raise _usual(node, reply, told, str(error.get("code", "")), hint)


def _usual(node: str, reply: Reply, told: str, code: str, hint: str) -> RunbookError:
    if reply.status == HTTPStatus.NOT_FOUND or reply.status in _NO_SUCH_PART:
        return NotSupportedError(
            f"node {node} does not have this part of the operations contract (HTTP {reply.status})",
            hint="runbook nodes tells what a node can do",
        )
    if reply.status in _NO_ENTRY:
        return RefusedError(told, hint=hint or "is it the admin token of this node?")
    if reply.status == HTTPStatus.CONFLICT and code == "BUSY":
        return LockedError(told, hint=hint)
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY and code != "INVALID":
        return DamagedError(told, hint=hint)
    again = reply.status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    if HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR and not again:
        return RefusedError(told, hint=hint)
    return _unfinished(reply)


def _unfinished(reply: Reply) -> NoReplyError:
    try:
        reply.checked()
    except NoReplyError as error:
        return error
    return NoReplyError(f"HTTP {reply.status}: not an answer of the operations contract")  # 2xx of another kind


def _error_of(reply: Reply) -> dict[str, Any]:
    """The error document of the operations contract, or nothing."""
    try:
        found = reply.json()["error"]
    except (NoReplyError, KeyError, TypeError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def answering(node: str) -> Iterator[None]:
    """Whatever keeps the node from answering inside is told with its name; a pause that it asked for too."""
    try:
        yield
    except NoReplyError as error:
        pause = "" if error.after is None else f"; it asks for {error.after:g} s of patience"
        hint = "try again then" if pause else "is it up, and can it be reached? see runbook nodes"
        raise UnreachableError(f"node {node}: {error.message}{pause}", hint=hint) from None
