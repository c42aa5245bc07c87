"""How upstream 0.1 is talked to, as read from its source: requests, answers, errors and the shapes of memories."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from upstream_memory import Record

if TYPE_CHECKING:
    from upstream_server import Upstream


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, document: Any, status: int = 200) -> "Answer":
        """A document."""
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    @classmethod
    def text(cls, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> "Answer":
        """Words: what the extractors of the framework say before any handler runs."""
        return cls(status, text.encode(), {"Content-Type": kind})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON body, or None where there is none."""
        try:
            return json.loads(self.raw) if self.raw else None
        except ValueError:
            return None


class RefusedError(Exception):
    """The error document: a code, a message, and two sentences that teach."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        teach = {"educational_context": "Memory operations ...", "cognitive_guidance": "Try different recall cues"}
        links = {"api_guide": "/docs/api", "memory_concepts": "/docs/memory-systems", "examples": "/docs/examples"}
        self.answer = Answer.json(
            {"error": {"code": code, "message": message, **teach}, "documentation": links}, status
        )


class UnreadError(RefusedError):
    """What the framework says in plain words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, "", "")
        self.answer = answer


def object_of(asked: Asked) -> dict[str, Any]:
    """The JSON body: the framework's own refusals are plain text."""
    if not asked.headers.get("content-type", "").startswith("application/json"):
        raise UnreadError(Answer.text(415, "Expected request with `Content-Type: application/json`"))
    try:
        document = json.loads(asked.raw)
    except ValueError as error:
        raise UnreadError(Answer.text(400, f"Failed to parse the request body as JSON: {error}")) from None
    if not isinstance(document, dict):
        raise UnreadError(Answer.text(422, "Failed to deserialize the JSON body into the target type"))
    return document


def count_of(asked: Asked, name: str, usual: int) -> int:
    """A number of the query; the framework refuses anything else."""
    text = asked.query.get(name, str(usual))
    if not text.isdecimal():
        raise UnreadError(Answer.text(400, "Failed to deserialize query string: invalid digit found in string"))
    return int(text)


def status_of(upstream: "Upstream") -> str:
    """As health says it."""
    return "healthy" if upstream.healthy else "unhealthy"


def now() -> str:
    """As upstream writes moments."""
    return datetime.now(UTC).isoformat()


def listed(record: Record, *, whole: bool) -> dict[str, Any]:
    """One memory of a list."""
    document = {"id": record.id, "content": record.content, "confidence": record.confidence, "timestamp": record.when}
    return document | ({"embedding": list(record.embedding)} if whole else {})


def recalled(record: Record) -> dict[str, Any]:
    """One memory of a recall."""
    sure = sure_of(record.confidence)
    return {"id": record.id, "content": record.content, "confidence": sure, "memory_type": "Episodic", "tags": []}


def sure_of(value: float) -> dict[str, Any]:
    """A confidence with its category."""
    category = "High" if value > 0.7 else "Medium" if value > 0.4 else "Low"
    return {"value": value, "category": category, "reasoning": "..."}
