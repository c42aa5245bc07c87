"""The data as a whole: export, import, generations, and the freeze of writes. Who comes here has shown the token."""

import asyncio
import math
from collections.abc import Iterator
from queue import Full, Queue
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runbook.errors import DamagedError, LockedError, NotSupportedError, RefusedError
from runbook.sandbox.engine import Engine
from runbook.sandbox.exporting import FORMATS, Export, FormatError
from runbook.sandbox.holdings import GenerationError, SequenceError
from runbook.sandbox.importing import Imported, chunks_from
from runbook.sandbox.web.reading import Refusal, answer, body_of, invalid, number, only

_LONGEST_FREEZE = 3600.0
_LARGEST = 2**63 - 1
_WAITING_CHUNKS = 32
_ADMIN = "/api/v1/admin"


def routes(engine: Engine) -> list[Route]:
    """Everything under /api/v1/admin that is about the data as a whole."""
    return [*_streams(engine), *_generations(engine), Route(f"{_ADMIN}/writes", _writes(engine), methods=["POST"])]


def _streams(engine: Engine) -> list[Route]:
    async def export(request: Request) -> Response:
        format_ = request.query_params.get("format", "")
        if format_ not in FORMATS:
            raise Refusal(400, "NO_FORMAT", f"format={format_!r} is none", f"format= one of {', '.join(FORMATS)}")
        origin = _known(lambda: engine.holdings.origin(request.query_params.get("generation")))
        try:
            found = await asyncio.to_thread(Export, origin, format_, _since(request))
        except FormatError as error:
            raise Refusal(409, "OTHER_FORMAT", error.message, error.hint) from None
        return StreamingResponse(iter(found), media_type="application/json")

    async def take(request: Request) -> Response:
        generation = request.query_params.get("generation")
        chunks: Queue[bytes | Exception | None] = Queue(_WAITING_CHUNKS)
        body = chunks_from(lambda: _next(chunks))
        work = asyncio.create_task(asyncio.to_thread(_import, engine, generation, body))
        await _feed(request, chunks, work)
        id_, imported = await work
        summary = imported.summary
        document = {"generation": id_, "kind": imported.kind, "took": summary.header.kind, "counts": summary.counts}
        return answer({**document, "sha256": summary.sha256}, 201)

    return [Route(f"{_ADMIN}/export", export), Route(f"{_ADMIN}/import", take, methods=["POST"])]


def _import(engine: Engine, generation: str | None, body: Iterator[bytes]) -> tuple[str, Imported]:
    try:
        if generation is None:
            return engine.holdings.fill(body)
        return generation, engine.holdings.add(generation, body)
    except (DamagedError, NotSupportedError) as error:
        raise Refusal(422, "DAMAGED", error.message, error.hint) from None
    except (RefusedError, LockedError) as error:
        raise _refusal(error) from None


async def _feed(request: Request, chunks: "Queue[bytes | Exception | None]", work: "asyncio.Task[Any]") -> None:
    """The body to the thread that reads it; when that has failed, the rest is taken and thrown away."""

    async def put(chunk: bytes | Exception | None) -> None:
        while not work.done():
            try:
                chunks.put_nowait(chunk)
            except Full:
                await asyncio.wait({work}, timeout=0.01)
            else:
                return

    try:
        async for chunk in request.stream():
            await put(chunk)
    except ClientDisconnect:
        await put(DamagedError("the connection was cut"))
    else:
        await put(None)


def _next(chunks: "Queue[bytes | Exception | None]") -> bytes | None:
    chunk = chunks.get()
    if isinstance(chunk, Exception):
        raise chunk
    return chunk


def _generations(engine: Engine) -> list[Route]:
    async def listed(_: Request) -> Response:
        found = await asyncio.to_thread(engine.holdings.listed)
        return answer({"node": engine.holdings.node, "generations": found})

    async def activate(request: Request) -> Response:
        document = await body_of(request)
        only(document, "if_sequence")
        expected = document.get("if_sequence")
        if isinstance(expected, bool) or not isinstance(expected, int):
            raise invalid("if_sequence must be a whole number", "the sequence of the last change that was carried over")
        generation = request.path_params["id"]
        try:
            sequence = await asyncio.to_thread(engine.activate, generation, expected)
        except SequenceError as error:
            more = {"sequence": error.sequence}
            raise Refusal(412, "WRITTEN_SINCE", error.message, error.hint, **more) from None
        except (RefusedError, LockedError) as error:
            raise _refusal(error) from None
        return answer({"active": generation, "kind": engine.memory.kind, "sequence": sequence})

    async def drop(request: Request) -> Response:
        generation = request.path_params["id"]
        try:
            await asyncio.to_thread(engine.holdings.drop, generation)
        except (RefusedError, LockedError) as error:
            raise _refusal(error) from None
        return answer({"dropped": generation})

    return [
        Route(f"{_ADMIN}/generations", listed),
        Route(f"{_ADMIN}/generations/{{id}}", drop, methods=["DELETE"]),
        Route(f"{_ADMIN}/generations/{{id}}/activate", activate, methods=["POST"]),
    ]


def _writes(engine: Engine) -> Any:
    async def writes(request: Request) -> Response:
        document = await body_of(request)
        only(document, "frozen", "ttl_seconds")
        if not isinstance(document.get("frozen"), bool):
            raise invalid("frozen must be true or false")
        ttl = number(document, "ttl_seconds", 60.0, 0.001, _LONGEST_FREEZE)
        sequence = engine.store.sequence
        if document["frozen"]:
            sequence = await engine.freeze(ttl)
        else:
            engine.memory.gate.open()
        seconds = engine.memory.gate.seconds
        return answer({"frozen": seconds > 0, "expires_in_seconds": seconds, "sequence": sequence})

    return writes


def _since(request: Request) -> int | None:
    raw = request.query_params.get("since")
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= math.ceil(math.log10(_LARGEST))) or int(raw) > _LARGEST:
        raise invalid(f"since must be a sequence number, not {raw[:40]!r}")
    return int(raw)


def _known(find: Any) -> Any:
    try:
        return find()
    except GenerationError as error:
        raise _refusal(error) from None


def _refusal(error: RefusedError | LockedError) -> Refusal:
    if isinstance(error, GenerationError) and error.message.startswith("there is no"):
        return Refusal(404, "GENERATION_NOT_FOUND", error.message, error.hint)
    code = "GENERATION" if isinstance(error, GenerationError) else "REFUSED"
    return Refusal(409, "BUSY" if isinstance(error, LockedError) else code, error.message, error.hint)
