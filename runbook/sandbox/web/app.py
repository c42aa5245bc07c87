"""The application of one node: routes, errors in one shape, and the two doors before them (silence, token)."""

import hmac
import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runbook.errors import StorageError
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults import Faults
from runbook.sandbox.faults.fault import InjectedError
from runbook.sandbox.gate import FrozenError
from runbook.sandbox.web import admin, chaos, data, health, recall, transfer
from runbook.sandbox.web.reading import Refusal, answer

_SOON = "1"
"""When whoever was refused is to ask again: a freeze is let go of long before it would end by itself."""
_PAGE = "<!doctype html><html><title>Welcome</title><h1>It works!</h1></html>"


def application(engine: Engine, faults: Faults) -> ASGIApp:
    """The whole contract of one node."""
    routes = routes_of(engine, faults)
    inner = Starlette(
        routes=routes,
        exception_handlers={
            Refusal: _refused,
            HTTPException: _http,
            FrozenError: _frozen,
            StorageError: _storage,
            InjectedError: _injected,
            Exception: _bug,
        },
    )
    return Doors(Allowing(inner, routes), engine, faults)


def routes_of(engine: Engine, faults: Faults) -> list[Route]:
    """Every path of the contract, with its methods."""
    return [
        *health.routes(engine),
        *recall.routes(engine, faults),
        *data.routes(engine),
        *admin.routes(engine, faults),
        *transfer.routes(engine),
        *chaos.routes(faults),
    ]


class Allowing:
    """Answers OPTIONS with the methods of a path, so that what a node speaks can be asked without doing it."""

    def __init__(self, inner: ASGIApp, routes: list[Route]) -> None:
        self._inner = inner
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        allowed = self._allowed(scope) if scope.get("method") == "OPTIONS" else None
        if allowed:
            await Response(status_code=204, headers={"Allow": ", ".join(sorted(allowed))})(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    def _allowed(self, scope: Scope) -> set[str]:
        matching = (route for route in self._routes if route.matches(scope)[0] is not Match.NONE)
        return {method for route in matching for method in route.methods or ()}


class Doors:
    """What a request passes first: a node made unreachable does not answer, an admin shows the token."""

    def __init__(self, inner: ASGIApp, engine: Engine, faults: Faults) -> None:
        self._inner = inner
        self._token = engine.token.encode()
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope.get("path", ""))
        trusted = self._trusted(scope)
        how = self._faults.silence()
        if how and not (trusted and path.startswith(chaos.PATH)):
            await self._silence(how, scope, receive, send)
        elif path.startswith("/api/v1/admin") and not trusted:
            hint = "send the token of the node's admin.token as Authorization: Bearer ..."
            body = Refusal(401, "UNAUTHORIZED", "this path needs the admin token", hint).body
            await answer(body, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    def _trusted(self, scope: Scope) -> bool:
        sent = dict(scope.get("headers", ())).get(b"authorization", b"")
        return hmac.compare_digest(sent, b"Bearer " + self._token)

    async def _silence(self, how: str, scope: Scope, receive: Receive, send: Send) -> None:
        if how == "html":
            await HTMLResponse(_PAGE)(scope, receive, send)
            return
        if how == "refuse":
            # ASGI has no way to hang up; uvicorn's connection does.
            transport = getattr(getattr(send, "__self__", None), "transport", None)
            if transport is not None:
                transport.abort()
        while (await receive())["type"] != "http.disconnect":
            continue


async def _refused(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return answer(refusal.body, refusal.status)


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = str(error.detail).upper().replace(" ", "_")
    return answer(Refusal(error.status_code, code, str(error.detail)).body, error.status_code, error.headers)


async def _frozen(_: Request, error: Exception) -> Response:
    if not isinstance(error, FrozenError):
        raise error
    refusal = Refusal(503, "WRITES_FROZEN", error.message, error.hint, expires_in_seconds=error.seconds)
    return answer(refusal.body, 503, {"Retry-After": _SOON})


async def _storage(_: Request, error: Exception) -> Response:
    hint = getattr(error, "hint", "")
    return answer(Refusal(507, "STORAGE", str(error), hint).body, 507)


async def _injected(_: Request, error: Exception) -> Response:
    return answer(Refusal(500, "INJECTED", str(error), "clear the fault").body, 500)


async def _bug(_: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    return answer(Refusal(500, "BUG", f"{type(error).__name__}: {error}").body, 500)
