"""The routes of upstream 0.1 that an operator's tool could meet, as read from its source (engram-cli/src/api.rs)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from upstream_memory import CONSTANT, Record, Space, score

if TYPE_CHECKING:
    from upstream_server import Upstream

PREVIEW_BYTES = 160
LONGEST_LIST = 1000


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


def _health(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /health`: 503 only when unhealthy."""
    document = {"status": _status(upstream), "service": "engram", "version": "0.1.0", "timestamp": _now()}
    return Answer.json(document, 200 if upstream.healthy else 503)


def _alive(_upstream: "Upstream", _: Asked) -> Answer:
    """`GET /health/alive`: 200 without a body."""
    return Answer(200, b"")


def _system_health(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/system/health`: the one route whose `space` filters without making it; the rest are constants."""
    check = {"name": "spreading", "type": "spreading", "status": _status(upstream), "message": "synthetic probe"}
    spaces = [
        {"space": space.id, "memories": len(space.hot), "pressure": 0.0, "wal_lag_ms": 0.0, "consolidation_rate": 0.0}
        for space in upstream.registry.spaces.values()
        if asked.query.get("space") in {None, space.id}
    ]
    document = {"status": _status(upstream), "timestamp": _now(), "checks": [check], "spaces": spaces, "cluster": None}
    return Answer.json(document, 200 if upstream.healthy else 503)


def _introspect(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /api/v1/system/introspect`: made-up numbers beside one true one."""
    total = sum(len(space.hot) for space in upstream.registry.spaces.values())
    return Answer.json({"memory_statistics": {"total_nodes": total, "average_activation": 0.5}})


def _metrics(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /metrics`: JSON."""
    return Answer.json(upstream.metrics.document())


def _prometheus(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /metrics/prometheus`: text, possibly none."""
    return Answer.text(200, upstream.metrics.text(), "text/plain; version=0.0.4")


def _spaces(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /api/v1/spaces`."""
    return Answer.json({"spaces": [_descriptor(space) for space in upstream.registry.spaces.values()]})


def _create_space(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/spaces`: idempotent, always 201."""
    return Answer.json(_descriptor(upstream.registry.create(str(_object(asked).get("id")))), 201)


def _memories(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/memories`: no order, repeats under `all`, a limit of 1000, and no total."""
    tier = asked.query.get("tier", "hot")
    if tier not in {"hot", "warm", "cold", "all"}:
        raise RefusedError(400, "BAD_REQUEST", f"Invalid tier: {tier}")
    space = upstream.space_of(asked)
    offset, limit = _count(asked, "offset", 0), min(_count(asked, "limit", 100), LONGEST_LIST)
    whole = asked.query.get("include_embeddings") == "true"
    shown = [_listed(record, whole=whole) for record in space.listed(tier)[offset : offset + limit]]
    pages = {"offset": offset, "limit": limit, "returned": len(shown)}
    return Answer.json({"memories": shown, "count": len(shown), "pagination": pages, "tier_counts": space.counts})


def _memory(upstream: "Upstream", asked: Asked, id_: str) -> Answer:
    """`GET /api/v1/memories/{id}`: without the embedding; a replaced one is listed but not found."""
    record = upstream.space_of(asked).hot.get(id_)
    if record is None:
        words = f"Memory 'Memory with ID '{id_}' not found' not found in the cognitive graph"
        raise RefusedError(404, "MEMORY_NOT_FOUND", words)
    return Answer.json({**_listed(record, whole=False), "memory_type": "episodic"})


def _delete(_upstream: "Upstream", _asked: Asked, id_: str) -> Answer:
    """`DELETE /api/v1/memories/{id}`: 200, and nothing is deleted."""
    return Answer.json({"status": "not_supported", "message": "Deletion is not supported", "memory_id": id_})


def _remember(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/memories/remember`: 201 whether it was kept, dropped or took another's place."""
    document = _object(asked)
    content = document.get("content")
    if not isinstance(content, str):
        raise _UnreadError(Answer.text(422, "Failed to deserialize the JSON body into the target type: content"))
    if not content.strip():
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "Memory content cannot be empty")
    space = upstream.space_of(asked)
    embedding = tuple(document.get("embedding") or CONSTANT)
    confidence = float(document.get("confidence", 0.7))
    id_ = str(document.get("id") or upstream.registry.new_id("mem"))
    activation = space.store(Record(id_, content, confidence, str(document.get("timestamp") or _now()), embedding))
    told = {"memory_id": id_, "storage_confidence": _sure(activation), "consolidation_state": "Recent"}
    return Answer.json(told | {"observed_at": _now(), "stored_at": _now(), "auto_links": []}, 201)


def _recall(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/memories/recall`: by letters and words; its confidence is a constant."""
    most = _count(asked, "max_results", 10)
    if asked.query.get("mode") in {"spreading", "hybrid"}:
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "enable feature_flags.spreading_api_beta to use this mode")
    if not asked.query.get("query") and not asked.query.get("embedding"):
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "Either query or embedding must be provided")
    space = upstream.space_of(asked)
    query, least = asked.query.get("query", ""), float(asked.query.get("threshold", 0.5))
    scored = sorted(((score(query, record), record.id) for record in space.hot.values()), reverse=True)
    found = [space.hot[id_] for points, id_ in scored if points >= least][:most]
    vivid = [_recalled(record) for record in found if record.confidence > 0.7]
    rest = [_recalled(record) for record in found if record.confidence <= 0.7]
    memories = {"vivid": vivid, "associated": rest, "reconstructed": []}
    document = {"memories": memories, "recall_confidence": _sure(0.8), "query_analysis": {}, "system_message": "..."}
    return Answer.json(document | {"metadata": {"total_memories_searched": len(space.hot), "processing_time_ms": 1}})


def _consolidations(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/consolidations`: a preview cut at byte 160, within a letter, ends the server."""
    for record in upstream.space_of(asked).hot.values():
        try:
            record.content.encode()[:PREVIEW_BYTES].decode()
        except UnicodeDecodeError:
            upstream.died = True  # panic, with `panic = "abort"`
    upstream.metrics.consolidated = True
    return Answer.json({"generated_at": _now(), "beliefs": [], "stats": {"total_replays": 0}})


def _not_enabled(_upstream: "Upstream", _: Asked) -> Answer:
    """`/cluster/*` of a server without a cluster."""
    raise RefusedError(501, "FEATURE_NOT_ENABLED", "Clustering is not enabled")


class _UnreadError(RefusedError):
    """What the framework says in plain words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, "", "")
        self.answer = answer


def _object(asked: Asked) -> dict[str, Any]:
    """The JSON body: the framework's own refusals are plain text."""
    if not asked.headers.get("content-type", "").startswith("application/json"):
        raise _UnreadError(Answer.text(415, "Expected request with `Content-Type: application/json`"))
    try:
        document = json.loads(asked.raw)
    except ValueError as error:
        raise _UnreadError(Answer.text(400, f"Failed to parse the request body as JSON: {error}")) from None
    if not isinstance(document, dict):
        raise _UnreadError(Answer.text(422, "Failed to deserialize the JSON body into the target type"))
    return document


def _count(asked: Asked, name: str, usual: int) -> int:
    text = asked.query.get(name, str(usual))
    if not text.isdecimal():
        raise _UnreadError(Answer.text(400, "Failed to deserialize query string: invalid digit found in string"))
    return int(text)


def _status(upstream: "Upstream") -> str:
    return "healthy" if upstream.healthy else "unhealthy"


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _descriptor(space: Space) -> dict[str, str]:
    return {"id": space.id, "persistence_root": space.root, "created_at": space.created_at}


def _listed(record: Record, *, whole: bool) -> dict[str, Any]:
    document = {"id": record.id, "content": record.content, "confidence": record.confidence, "timestamp": record.when}
    return document | ({"embedding": list(record.embedding)} if whole else {})


def _recalled(record: Record) -> dict[str, Any]:
    sure = _sure(record.confidence)
    return {"id": record.id, "content": record.content, "confidence": sure, "memory_type": "Episodic", "tags": []}


def _sure(value: float) -> dict[str, Any]:
    category = "High" if value > 0.7 else "Medium" if value > 0.4 else "Low"
    return {"value": value, "category": category, "reasoning": "..."}


Handler = Callable[..., Answer]

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health", _health),
    ("GET", "/health/alive", _alive),
    ("GET", "/api/v1/system/health", _system_health),
    ("GET", "/api/v1/system/introspect", _introspect),
    ("GET", "/metrics", _metrics),
    ("GET", "/metrics/prometheus", _prometheus),
    ("GET", "/api/v1/spaces", _spaces),
    ("POST", "/api/v1/spaces", _create_space),
    ("GET", "/api/v1/memories", _memories),
    ("GET", "/api/v1/memories/recall", _recall),
    ("POST", "/api/v1/memories/remember", _remember),
    ("GET", "/api/v1/memories/([^/]+)", _memory),
    ("DELETE", "/api/v1/memories/([^/]+)", _delete),
    ("GET", "/api/v1/consolidations", _consolidations),
    ("GET", "/cluster/(?:health|nodes|rebalance)", _not_enabled),
    ("POST", "/cluster/(?:rebalance|migrate)", _not_enabled),
)
