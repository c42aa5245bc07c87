"""The admin plane: settings, lease, consolidation, what is inside. Who comes here has shown the token."""

import asyncio
import math
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbook.errors import UsageError
from runbook.model.settings import Kind
from runbook.sandbox.concepts import recent
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults import Faults
from runbook.sandbox.heap import dump
from runbook.sandbox.lease import Lease
from runbook.sandbox.tuning import check_all
from runbook.sandbox.web.reading import Refusal, answer, body_of, invalid, number, only, queried_number, text

_LONGEST_LEASE = 3600.0


def routes(engine: Engine, faults: Faults) -> list[Route]:
    """Everything under /api/v1/admin but chaos."""
    prefix = "/api/v1/admin"
    return [
        *(_settings(engine, faults, prefix) if engine.options.runtime_settings else ()),
        *_inside(engine, prefix),
        Route(f"{prefix}/lease", _lease(engine), methods=["GET", "POST", "DELETE"]),
    ]


def _settings(engine: Engine, faults: Faults, prefix: str) -> list[Route]:
    async def change(request: Request, kind: Kind) -> Response:
        try:
            changes = check_all(await body_of(request), kind)
        except UsageError as error:
            raise invalid(error.message, error.hint) from None
        if kind is Kind.FEATURE and engine.memory.single and any(changes.values()):
            message = "this node serves a single memory: no flag can be switched on"
            raise Refusal(409, "SINGLE_MEMORY", message, "activate a generation of dual memory first")
        taken = {key: value for key, value in changes.items() if not faults.ignores_setting(key)}
        if taken:
            await asyncio.wrap_future(engine.settings.change(taken))
        return answer({**engine.settings.of(kind), **changes})

    async def features(request: Request) -> Response:
        if request.method == "GET":
            return answer(engine.settings.of(Kind.FEATURE))
        return await change(request, Kind.FEATURE)

    async def config(request: Request) -> Response:
        if request.method == "GET":
            return answer(engine.settings.of(Kind.CONFIG))
        return await change(request, Kind.CONFIG)

    return [
        Route(f"{prefix}/features", features, methods=["GET", "POST"]),
        Route(f"{prefix}/config", config, methods=["GET", "PATCH"]),
    ]


def _lease(engine: Engine) -> Any:
    async def lease(request: Request) -> Response:
        if request.method == "GET":
            current = engine.leases.current
            return answer({"lease": None if current is None else _lease_document(current)})
        document = await body_of(request)
        if request.method == "DELETE":
            only(document, "run", "holder", "ttl_seconds")
            return answer({"released": engine.leases.give_back(text(document, "run"))})
        only(document, "holder", "run", "ttl_seconds")
        holder, run = text(document, "holder"), text(document, "run")
        taken, held = engine.leases.take(holder, run, number(document, "ttl_seconds", 60.0, 0.001, _LONGEST_LEASE))
        if not taken:
            message = f"{held.holder} holds the lease for the run {held.run}"
            raise Refusal(409, "LEASE_HELD", message, "wait, or ask the holder", **_lease_document(held))
        return answer(_lease_document(held))

    return lease


def _lease_document(lease: Lease) -> dict[str, Any]:
    return {"holder": lease.holder, "run": lease.run, "expires_in_seconds": lease.expires_in_seconds}


def _inside(engine: Engine, prefix: str) -> list[Route]:
    async def consolidate(_: Request) -> Response:
        cycle = await asyncio.to_thread(engine.consolidate)
        return answer(
            {
                "seconds": cycle.seconds,
                "examined": cycle.examined,
                "formed": len(cycle.formed),
                "merged": cycle.merged,
                "bindings_collected": cycle.collected,
                "pending": engine.consolidation.pending(),
            }
        )

    async def collect(_: Request) -> Response:
        return answer({"collected": await asyncio.to_thread(engine.consolidation.collect)})

    async def heap(_: Request) -> Response:
        return answer(dump(engine))

    async def concepts(request: Request) -> Response:
        since = queried_number(request, "since", 0.0, 0.0, math.inf)
        limit = int(queried_number(request, "limit", 50, 1, 1000))
        return answer({"concepts": recent(engine.store.reader, since, limit)})

    async def cells(request: Request) -> Response:
        since = queried_number(request, "since", 0.0, 0.0, math.inf)
        return answer({"bucket_seconds": engine.cells.bucket_seconds, "cells": engine.cells.since(since)})

    return [
        Route(f"{prefix}/consolidate", consolidate, methods=["POST"]),
        Route(f"{prefix}/bindings/gc", collect, methods=["POST"]),
        Route(f"{prefix}/heap", heap, methods=["GET", "POST"]),
        Route(f"{prefix}/concepts", concepts),
        Route(f"{prefix}/cells", cells),
    ]
