"""The routes of upstream 0.1 that matter to an operator's tool, as read from its source (engram-cli/src/api.rs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from upstream_memory import CONSTANT, Record, Space, score
from upstream_talk import (
    Answer,
    Asked,
    RefusedError,
    UnreadError,
    count_of,
    listed,
    now,
    object_of,
    recalled,
    status_of,
    sure_of,
)

if TYPE_CHECKING:
    from upstream_server import Upstream

PREVIEW_BYTES = 160
LONGEST_LIST = 1000
LONGEST_CONTENT = 100_000


def _health(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /health`: 503 only when unhealthy."""
    document = {"status": status_of(upstream), "service": "engram", "version": "0.1.0", "timestamp": now()}
    return Answer.json(document, 200 if upstream.healthy else 503)


def _alive(_upstream: "Upstream", _: Asked) -> Answer:
    """`GET /health/alive`: 200 without a body."""
    return Answer(200, b"")


def _system_health(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/system/health`: the one route whose `space` filters without making it; the rest are constants."""
    check = {"name": "spreading", "type": "spreading", "status": status_of(upstream), "message": "synthetic probe"}
    spaces = [
        {"space": space.id, "memories": len(space.hot), "pressure": 0.0, "wal_lag_ms": 0.0, "consolidation_rate": 0.0}
        for space in upstream.registry.spaces.values()
        if asked.query.get("space") in {None, space.id}
    ]
    document = {"status": status_of(upstream), "timestamp": now(), "checks": [check], "spaces": spaces, "cluster": None}
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
    return Answer.json(_descriptor(upstream.registry.create(str(object_of(asked).get("id")))), 201)


def _memories(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/memories`: no order, repeats under `all`, a limit of 1000, and no total."""
    tier = asked.query.get("tier", "hot")
    if tier not in {"hot", "warm", "cold", "all"}:
        raise RefusedError(400, "BAD_REQUEST", f"Invalid tier: {tier}")
    space = upstream.space_of(asked)
    offset, limit = count_of(asked, "offset", 0), min(count_of(asked, "limit", 100), LONGEST_LIST)
    whole = asked.query.get("include_embeddings") == "true"
    shown = [listed(record, whole=whole) for record in space.listed(tier)[offset : offset + limit]]
    pages = {"offset": offset, "limit": limit, "returned": len(shown)}
    return Answer.json({"memories": shown, "count": len(shown), "pagination": pages, "tier_counts": space.counts})


def _memory(upstream: "Upstream", asked: Asked, id_: str) -> Answer:
    """`GET /api/v1/memories/{id}`: without the embedding; a replaced one is listed but not found."""
    record = upstream.space_of(asked).hot.get(id_)
    if record is None:
        words = f"Memory 'Memory with ID '{id_}' not found' not found in the cognitive graph"
        raise RefusedError(404, "MEMORY_NOT_FOUND", words)
    return Answer.json({**listed(record, whole=False), "memory_type": "episodic"})


def _delete(_upstream: "Upstream", _asked: Asked, id_: str) -> Answer:
    """`DELETE /api/v1/memories/{id}`: 200, and nothing is deleted."""
    return Answer.json({"status": "not_supported", "message": "Deletion is not supported", "memory_id": id_})


def _remember(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/memories/remember`: 201 whether it was kept, dropped or took another's place."""
    document = object_of(asked)
    content = document.get("content")
    if not isinstance(content, str):
        raise UnreadError(Answer.text(422, "Failed to deserialize the JSON body into the target type: content"))
    if not content.strip():
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "Memory content cannot be empty")
    if len(content.encode()) > LONGEST_CONTENT:
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "Memory content is too long")
    record = Record(
        id=str(document.get("id") or upstream.registry.new_id("mem")),
        content=content,
        confidence=float(document.get("confidence", 0.7)),
        when=str(document.get("timestamp") or now()),
        embedding=tuple(document.get("embedding") or CONSTANT),
    )
    return stored(upstream, upstream.space_of(asked), record)


def stored(upstream: "Upstream", space: Space, record: Record) -> Answer:
    """The answer to whatever was stored, dropped or put in another's place; with broken events a 500, and stored."""
    activation = space.store(record)
    if upstream.events_broken:
        words = f"Memory {record.id} was stored but event notification failed"
        raise RefusedError(500, "MEMORY_SYSTEM_ERROR", words)
    told = {"memory_id": record.id, "storage_confidence": sure_of(activation), "consolidation_state": "Recent"}
    return Answer.json(told | {"observed_at": now(), "stored_at": now(), "auto_links": []}, 201)


def _recall(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/memories/recall`: by letters and words; its confidence is a constant."""
    most = count_of(asked, "max_results", 10)
    if asked.query.get("mode") in {"spreading", "hybrid"}:
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "enable feature_flags.spreading_api_beta to use this mode")
    if not asked.query.get("query") and not asked.query.get("embedding"):
        raise RefusedError(400, "INVALID_MEMORY_INPUT", "Either query or embedding must be provided")
    space = upstream.space_of(asked)
    query, least = asked.query.get("query", ""), float(asked.query.get("threshold", 0.5))
    scored = sorted(((score(query, record), record.id) for record in space.hot.values()), reverse=True)
    found = [space.hot[id_] for points, id_ in scored if points >= least][:most]
    vivid = [recalled(record) for record in found if record.confidence > 0.7]
    rest = [recalled(record) for record in found if record.confidence <= 0.7]
    memories = {"vivid": vivid, "associated": rest, "reconstructed": []}
    document = {"memories": memories, "recall_confidence": sure_of(0.8), "query_analysis": {}, "system_message": "..."}
    return Answer.json(document | {"metadata": {"total_memories_searched": len(space.hot), "processing_time_ms": 1}})


def _consolidations(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/consolidations`: a preview cut at byte 160, within a letter, ends the server."""
    for record in upstream.space_of(asked).hot.values():
        try:
            record.content.encode()[:PREVIEW_BYTES].decode()
        except UnicodeDecodeError:
            upstream.died = True  # panic, with `panic = "abort"`
    upstream.metrics.consolidated = True
    return Answer.json({"generated_at": now(), "beliefs": [], "stats": {"total_replays": 0}})


def _not_enabled(_upstream: "Upstream", _: Asked) -> Answer:
    """`/cluster/*` of a server without a cluster."""
    raise RefusedError(501, "FEATURE_NOT_ENABLED", "Clustering is not enabled")


def _descriptor(space: Space) -> dict[str, str]:
    return {"id": space.id, "persistence_root": space.root, "created_at": space.created_at}


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
