"""The rest of the routes of upstream 0.1, as read from its source: stubs, constants, and the ends of the server."""

from typing import TYPE_CHECKING

from upstream_memory import CONSTANT, Record, score
from upstream_routes import Handler, stored
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

EPISODE = (0.6,) * 768
"""The embedding of an episode that came without one."""


def _spreading(upstream: "Upstream", _: Asked) -> Answer:
    """`GET /health/spreading`: one check, of a graph of its own."""
    return Answer.json({"name": "spreading", "type": "spreading", "status": status_of(upstream), "message": "..."})


def _audit(_upstream: "Upstream", _: Asked) -> Answer:
    """`GET /api/v1/system/spreading/config`."""
    return Answer.json({"audit_log": []})


def _create(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/memories`: whatever else is sent is ignored, so all of these resemble each other."""
    document = object_of(asked)
    confidence = float(document.get("confidence", 0.8))
    id_ = upstream.registry.new_id("mem")
    record = Record(id_, str(document.get("content", "")), confidence, now(), CONSTANT)
    return stored(upstream, upstream.space_of(asked), record)


def _search(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/memories/search`: the total is what was returned."""
    query, most = asked.query.get("query", ""), count_of(asked, "limit", 10)
    kept = upstream.space_of(asked).hot.values()
    found = [listed(record, whole=False) for record in kept if score(query, record) >= 0.7][:most]
    return Answer.json({"memories": [{**each, "memory_type": "episodic"} for each in found], "total": len(found)})


def _recognize(_upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/memories/recognize`: anything of more than ten bytes is recognized."""
    return Answer.json({"recognized": len(str(object_of(asked).get("input", "")).encode()) > 10})


def _episode(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/episodes/remember`: why, how and valence are dropped; importance becomes confidence."""
    document = object_of(asked)
    if not isinstance(document.get("when"), str) or not isinstance(document.get("what"), str):
        raise UnreadError(Answer.text(422, "Failed to deserialize the JSON body into the target type: missing field"))
    record = Record(
        id=str(document.get("id") or upstream.registry.new_id("ep")),
        content=document["what"],
        confidence=float(document.get("importance", 0.5)),
        when=document["when"],
        embedding=tuple(document.get("embedding") or EPISODE),
        where=document.get("where_location"),
        who=tuple(document.get("who") or ()),
    )
    return stored(upstream, upstream.space_of(asked), record)


def _replay(_upstream: "Upstream", _: Asked) -> Answer:
    """`GET /api/v1/episodes/replay`: a stub."""
    return Answer.json({"episodes": []})


def _probabilistic(upstream: "Upstream", asked: Asked) -> Answer:
    """`GET /api/v1/query/probabilistic`."""
    query = asked.query.get("query", "")
    found = [recalled(record) for record in upstream.space_of(asked).hot.values() if score(query, record) >= 0.5]
    interval = {"lower": 0.7, "upper": 0.9, "point": 0.8, "width": 0.2}
    return Answer.json({"memories": found, "confidence_interval": interval, "evidence_chain": None})


def _query(upstream: "Upstream", asked: Asked) -> Answer:
    """`POST /api/v1/query`: the body's space comes before the header's here; the one way to read where and who."""
    document = object_of(asked)
    named = document.get("memory_space_id")
    space = upstream.registry.named(str(named)) if named else upstream.space_of(asked)
    verb, _, id_ = str(document.get("query_text", "")).partition(" ")
    if verb != "RECALL":
        raise RefusedError(400, "BAD_REQUEST", f"Unknown query: {verb}")
    record = space.hot.get(id_)
    episodes = [] if record is None else [_told(record)]
    bounds = {"lower_bound": 0.7, "mean": 0.8, "upper_bound": 0.9, "width": 0.2}
    found = {"episodes": episodes, "aggregate_confidence": bounds, "total_count": len(episodes)}
    return Answer.json(found | {"execution_time_ms": 1})


def _compact(_upstream: "Upstream", _: Asked) -> Answer:
    """`POST /api/v1/maintenance/compact`: nothing to do for a small store."""
    pressure = {"pressure_before": 0.0, "pressure_after": 0.0, "maintenance_triggered": False}
    return Answer.json({"compaction": None, **pressure})


def _shutdown(upstream: "Upstream", _: Asked) -> Answer:
    """`POST /shutdown`: for anyone who asks."""
    upstream.stopping = True
    return Answer.json({"status": "shutdown_initiated", "message": "Server is shutting down gracefully"})


def _told(record: Record) -> dict[str, object]:
    confidence = sure_of(record.confidence)
    told: dict[str, object] = {"id": record.id, "when": record.when, "what": record.content}
    told |= {"where_location": record.where} if record.where else {}
    told |= {"who": list(record.who)} if record.who else {}
    return told | {"confidence": record.confidence, "confidence_category": confidence["category"]}


OTHER_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health/spreading", _spreading),
    ("GET", "/api/v1/system/spreading/config", _audit),
    ("POST", "/api/v1/memories", _create),
    ("GET", "/api/v1/memories/search", _search),
    ("POST", "/api/v1/memories/recognize", _recognize),
    ("POST", "/api/v1/episodes/remember", _episode),
    ("GET", "/api/v1/episodes/replay", _replay),
    ("GET", "/api/v1/query/probabilistic", _probabilistic),
    ("POST", "/api/v1/query", _query),
    ("POST", "/api/v1/maintenance/compact", _compact),
    ("POST", "/shutdown", _shutdown),
)
