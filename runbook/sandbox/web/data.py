"""The data plane: spaces, remember, recall, forget. The space is named by the header `X-Memory-Space`."""

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbook.sandbox import rows
from runbook.sandbox.embedding import vector
from runbook.sandbox.engine import DEFAULT_SPACE, Answer, Engine
from runbook.sandbox.memory import TakenError
from runbook.sandbox.records import Episode, timestamp
from runbook.sandbox.web.episode import from_document
from runbook.sandbox.web.reading import Refusal, answer, body_of, invalid, only, queried_flag, queried_number, text

_SPACE = re.compile(r"[a-z0-9_-]{3,64}")
_LONG = 8192
"""Letters whose embedding takes longer than a recall should wait; it is then made beside the event loop."""


def routes(engine: Engine) -> list[Route]:
    """Spaces and memories."""
    return [*_spaces(engine), *_writing(engine), *_reading(engine)]


def _spaces(engine: Engine) -> list[Route]:
    async def listed(_: Request) -> Response:
        found = [{"id": s.name, "created_at": timestamp(s.created_at)} for s in list(engine.memory.spaces.values())]
        return answer({"spaces": found})

    async def create(request: Request) -> Response:
        document = await body_of(request)
        only(document, "id")
        name = text(document, "id")
        if not _SPACE.fullmatch(name):
            raise invalid(f"{name!r} is not a name of a space", "3 to 64 of a-z, 0-9, - and _")
        return answer({"id": name, "created_at": timestamp(await engine.create_space(name))}, 201)

    return [Route("/api/v1/spaces", listed), Route("/api/v1/spaces", create, methods=["POST"])]


def _reading(engine: Engine) -> list[Route]:
    async def listed(request: Request) -> Response:
        space = space_of(engine, request)
        offset = int(queried_number(request, "offset", 0, 0, 2**53))
        limit = int(queried_number(request, "limit", 100, 1, 1000))
        full = queried_flag(request, "include_embeddings", default=False)
        found = rows.list_episodes(engine.store.reader, space, offset, limit)
        page = {"offset": offset, "limit": limit, "returned": len(found)}
        total = len(engine.memory.spaces[space].episodes)
        memories = [_document(episode, embedding=full) for episode in found]
        return answer({"memories": memories, "count": len(found), "total": total, "pagination": page})

    async def one(request: Request) -> Response:
        space, id_ = space_of(engine, request), request.path_params["id"]
        found = rows.find_episode(engine.store.reader, space, id_)
        if found is None:
            raise _missing(id_)
        return answer(_document(found, embedding=queried_flag(request, "include_embeddings", default=True)))

    return [Route("/api/v1/memories", listed), Route("/api/v1/memories/{id}", one)]


def _writing(engine: Engine) -> list[Route]:
    async def remember(request: Request) -> Response:
        space = space_of(engine, request)
        document, episodic = await body_of(request), request.url.path.endswith("episodes/remember")
        if sum(len(value) for value in document.values() if isinstance(value, str)) > _LONG:
            episode = await asyncio.to_thread(from_document, space, document, episodic=episodic)
        else:
            episode = from_document(space, document, episodic=episodic)
        _, graph = engine.graph(space)
        try:
            (fresh,) = await asyncio.wrap_future(graph.remember([episode]))
        except TakenError as error:
            message = f"the id {error} is taken by another content"
            raise Refusal(409, "MEMORY_EXISTS", message, "choose another id") from None
        return answer({"memory_id": episode.id, "created_at": timestamp(episode.created_at)}, 201 if fresh else 200)

    async def forget(request: Request) -> Response:
        space, id_ = space_of(engine, request), request.path_params["id"]
        _, graph = engine.graph(space)
        gone = await asyncio.wrap_future(graph.forget(space, [id_]))
        if id_ not in gone:
            raise _missing(id_)
        return answer({"memory_id": id_, "status": "forgotten", "tombstone": {"sequence": gone[id_]}})

    return [
        Route("/api/v1/memories/remember", remember, methods=["POST"]),
        Route("/api/v1/episodes/remember", remember, methods=["POST"]),
        Route("/api/v1/memories/{id}", forget, methods=["DELETE"]),
    ]


def space_of(engine: Engine, request: Request) -> str:
    """The space of the request: header, then query, then `default`.

    Raises:
        Refusal: there is none of that name (404); reading never makes one.
    """
    name = request.headers.get("x-memory-space") or request.query_params.get("space") or DEFAULT_SPACE
    if name not in engine.memory.spaces:
        raise Refusal(404, "SPACE_NOT_FOUND", f"no space is called {name!r}", "POST /api/v1/spaces makes one")
    return name


def _missing(id_: str) -> Refusal:
    return Refusal(404, "MEMORY_NOT_FOUND", f"no memory is called {id_!r}")


def _document(episode: Episode, *, embedding: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": episode.id,
        "space": episode.space,
        "content": episode.content,
        "confidence": episode.encoding_confidence,
        "timestamp": timestamp(episode.when),
        "memory_type": "episodic",
        "where": episode.where,
        "who": episode.who,
        "activation": episode.activation,
        "recall_count": episode.recall_count,
        "last_recall": timestamp(episode.last_recall) if episode.last_recall else None,
        "consolidation_score": episode.consolidation_score,
        "metadata": dict(episode.metadata),
    }
    return {**document, "embedding": vector(episode.embedding)} if embedding else document


def recall_document(space: str, found: Answer, seconds: float) -> dict[str, Any]:
    """What a recall answers with."""
    return {
        "space": space,
        "group": found.group,
        "memories": [
            {
                "id": result.episode.id,
                "content": result.episode.content,
                "timestamp": timestamp(result.episode.when),
                "confidence": result.confidence,
                "similarity": result.similarity,
                "path": result.path,
            }
            for result in found.recalled.results
        ],
        "recall_confidence": found.recalled.confidence,
        "semantic_share": found.recalled.semantic_share,
        "processing_time_ms": seconds * 1000.0,
    }
