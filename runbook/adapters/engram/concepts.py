"""The newest concepts of a node, as it tells of them."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from runbook.adapters.engram.client import Client
from runbook.model.concept import RecentConcept
from runbook.model.target import Node
from runbook.wire import NoReplyError
from runbook.wire.exchange import printable

_PATH = "/api/v1/admin/concepts"
_LONGEST_TEXT = 200
_MOST_TEXTS = 5
_MOST_COHERENCE = 1.0 + 1e-6
"""A mean of cosines, as floats add up; what is beyond it, NaN too, is no coherence."""


def read_concepts(client: Client, node: Node, since: datetime, most: int) -> tuple[RecentConcept, ...]:
    """At most so many concepts, the newest first; what is none of the contract's is left out.

    Raises:
        NoReplyError: it does not answer, answers nonsense, or does not tell of concepts.
        RefusedError: the token is not kept as it must be.
    """
    query = urlencode({"since": f"{since.timestamp():.6f}", "limit": most})
    try:
        document = client.get(node, f"{_PATH}?{query}").json()
    except NoReplyError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise NoReplyError("telling of recent concepts is not supported by this node") from None
        raise
    rows = document.get("concepts") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise NoReplyError("answered with JSON that is no list of concepts")
    found = tuple(each for each in map(_concept, rows[:most]) if each is not None)
    if rows and most and not found:
        raise NoReplyError("tells of recent concepts, and none of them can be read")  # which is not that there are none
    return found


def _concept(row: Any) -> RecentConcept | None:
    if not isinstance(row, Mapping):
        return None
    size, coherence = row.get("size"), row.get("coherence")
    if isinstance(size, bool) or isinstance(coherence, bool):
        return None
    if not isinstance(size, int) or not isinstance(coherence, int | float) or not abs(coherence) <= _MOST_COHERENCE:
        return None
    members = row.get("members")
    texts = [_text(each) for each in members[:_MOST_TEXTS]] if isinstance(members, list) else []
    id_, space, formed_at = (printable(str(row.get(name) or "")) for name in ("id", "space", "formed_at"))
    return RecentConcept(id_, space, formed_at, size, float(coherence), tuple(text for text in texts if text))


def _text(member: Any) -> str:
    content = member.get("content") if isinstance(member, Mapping) else None
    return printable(content)[:_LONGEST_TEXT] if isinstance(content, str) else ""
