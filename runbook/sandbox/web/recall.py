"""GET /api/v1/memories/recall: timed from the request's arrival, counted by group and space, faults included."""

import asyncio
from time import perf_counter

import numpy as np
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbook.sandbox.embedding import EmbeddingError, Vector, embed, from_client, vector
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults import Faults
from runbook.sandbox.graph import Cue
from runbook.sandbox.web.data import recall_document, space_of
from runbook.sandbox.web.reading import Refusal, answer, invalid, queried_flag, queried_number

GROUP_HEADER = "x-engram-group"
"""What a proxy that splits the traffic says; it wins over the node's own share and named spaces."""
_COARSE = 0.002


def routes(engine: Engine, faults: Faults) -> list[Route]:
    """Recall."""

    async def recall(request: Request) -> Response:
        started = perf_counter()
        space = space_of(engine, request)
        cue = Cue(
            vector=_direction(request),
            count=int(queried_number(request, "max_results", 10, 1, 1000)),
            threshold=queried_number(request, "threshold", 0.0, 0.0, 1.0),
            observe=queried_flag(request, "observe", default=True),
        )
        named = request.headers.get(GROUP_HEADER, "")
        group = engine.settings.tuning.group(space, named)
        try:
            faults.before_recall(group, observed=cue.observe)
            found = engine.recall(space, cue, named)
            group = found.group
            taken = perf_counter() - started
            if delay := faults.delay(group, taken):
                await _until(started + taken + delay)
        except Exception:
            if cue.observe:
                engine.recall_failed(space, group)
            raise
        seconds = perf_counter() - started
        if cue.observe:
            engine.recall_answered(space, found, seconds)
        return answer(recall_document(space, found, seconds))

    return [Route("/api/v1/memories/recall", recall)]


async def _until(end: float) -> None:
    """Wait until that moment of `perf_counter`. The event loop counts in milliseconds, so the last ones pass awake."""
    if (left := end - perf_counter()) > _COARSE:
        await asyncio.sleep(left - _COARSE)
    while perf_counter() < end:
        pass


def _direction(request: Request) -> Vector:
    """The unit vector of the query's text, or the one that the client sent."""
    raw, query = request.query_params.get("embedding"), request.query_params.get("query")
    if raw is None:
        if not query:
            raise Refusal(400, "NO_CUE", "a recall needs a query or an embedding", "?query=...")
        return embed(query)
    try:
        sent = vector(from_client(orjson.loads(raw) if raw.startswith("[") else raw)).astype(np.float64)
    except (EmbeddingError, orjson.JSONDecodeError) as error:
        raise invalid(str(error)) from None
    length = float(np.linalg.norm(sent))
    return (sent / length if length else sent).astype(np.float32)
