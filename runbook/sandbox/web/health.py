"""Health, and the metrics."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbook import __version__
from runbook.sandbox.engine import Engine
from runbook.sandbox.records import now, timestamp
from runbook.sandbox.web.reading import answer


def routes(engine: Engine) -> list[Route]:
    """The routes that nobody needs a token for."""

    async def health(_: Request) -> Response:
        return answer(
            {"status": "healthy", "service": "engram-sandbox", "version": __version__, "timestamp": timestamp(now())}
        )

    async def alive(_: Request) -> Response:
        return Response(status_code=200)

    async def system(_: Request) -> Response:
        """Checks that look, and counts; `settled` when consolidation has nothing left to do."""
        (stored,) = engine.store.reader.execute("SELECT count(*) FROM space").fetchone()
        sizes = engine.sizes()
        settled = not engine.settings.tuning.forms_concepts or not any(size["pending"] for size in sizes.values())
        readable = stored >= len(sizes)
        return answer(
            {
                "status": "healthy" if readable else "unhealthy",
                "timestamp": timestamp(now()),
                "checks": [{"name": "store", "status": "healthy" if readable else "unhealthy"}],
                "node": engine.id,
                "sequence": engine.store.sequence,
                "generation": engine.generations.pointer.active,
                "data": engine.memory.kind,
                "settled": settled,
                "spaces": [{"space": name, "memories": size["episodes"], **size} for name, size in sizes.items()],
            },
            200 if readable else 503,
        )

    async def metrics(_: Request) -> Response:
        # In a thread: it takes some milliseconds, which no recall should wait for.
        exposition = await asyncio.to_thread(engine.instruments.exposition)
        return Response(exposition, media_type="text/plain; version=0.0.4")

    return [
        Route("/health", health),
        Route("/health/alive", alive),
        Route("/api/v1/system/health", system),
        Route("/metrics/prometheus", metrics),
    ]
