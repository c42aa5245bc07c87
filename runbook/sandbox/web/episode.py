"""A `remember` request to an episode, every field checked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from runbook.sandbox.embedding import EmbeddingError, embed, from_client
from runbook.sandbox.records import Episode, microseconds, now
from runbook.sandbox.web.reading import invalid, number, only, text

LONGEST_CONTENT = 100_000
_DEEPEST = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHARED = ("id", "embedding", "embedding_provenance", "metadata", "who")
_MEMORY = ("content", "confidence", "timestamp", *_SHARED)
_EPISODE = ("what", "when", "importance", "where", "where_location", *_SHARED)


def from_document(space: str, document: Mapping[str, Any], *, episodic: bool) -> Episode:
    """The episode; without an embedding of its own it gets that of its text.

    Raises:
        Refusal: a field is missing, unknown, of another type, or out of range (422).
    """
    only(document, *(_EPISODE if episodic else _MEMORY))
    content = text(document, "what" if episodic else "content", longest=LONGEST_CONTENT)
    moment = now()
    confidence = number(document, "importance" if episodic else "confidence", 0.7, 0.0, 1.0)
    return Episode(
        space=space,
        id=_id(document),
        content=_encodable(content),
        when=_moment(document, "when" if episodic else "timestamp", moment),
        embedding=_embedding(document, content),
        created_at=moment,
        where=_optional(document, "where") or _optional(document, "where_location"),
        who=_names(document),
        embedding_provenance=_provenance(document),
        encoding_confidence=confidence,
        vividness_confidence=confidence,
        reliability_confidence=confidence,
        metadata=_metadata(document),
    )


def _id(document: Mapping[str, Any]) -> str:
    value = text(document, "id", f"mem_{uuid4().hex}")
    if _CONTROL.search(value):
        raise invalid("id holds control characters")
    return value


def _encodable(content: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in content):
        raise invalid("the content holds a lone surrogate")
    return content


def _embedding(document: Mapping[str, Any], content: str) -> bytes:
    if document.get("embedding") is None:
        return embed(content).astype("<f4").tobytes()
    try:
        return from_client(document["embedding"])
    except EmbeddingError as error:
        raise invalid(str(error)) from None


def _moment(document: Mapping[str, Any], name: str, default: int) -> int:
    value = document.get(name)
    if value is None:
        return default
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise invalid(f"{name} has no time zone", "end it with Z or an offset")
        return microseconds(moment.astimezone(UTC))
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"{name} must be a time of RFC 3339") from None


def _optional(document: Mapping[str, Any], name: str) -> str | None:
    return None if document.get(name) is None else text(document, name, longest=4096)


def _names(document: Mapping[str, Any]) -> tuple[str, ...]:
    value = document.get("who", [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise invalid("who must be a list of texts")
    return tuple(value)


def _provenance(document: Mapping[str, Any]) -> Mapping[str, object] | None:
    value = document.get("embedding_provenance")
    if value is not None and (not isinstance(value, dict) or _depth(value) > _DEEPEST):
        raise invalid(f"embedding_provenance must be an object, at most {_DEEPEST} levels deep")
    return value


def _depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(_depth, value.values()), default=0)
        case list():
            return 1 + max(map(_depth, value), default=0)
        case _:
            return 0


def _metadata(document: Mapping[str, Any]) -> Mapping[str, str]:
    value = document.get("metadata", {})
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid("metadata must map texts to texts")
    return value
