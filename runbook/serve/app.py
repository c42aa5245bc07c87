"""The application of `runbook serve`, put together from its parts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from runbook.serve.doors import Doors


@dataclass(frozen=True, slots=True)
class Parts:
    """What is served: routes of the webhook, of the metrics and of the console; and the names it goes by."""

    routes: Sequence[BaseRoute]
    hosts: Sequence[str] = ()


def application(parts: Parts) -> ASGIApp:
    """Everything that is served, behind its doors."""
    inner = Starlette(
        routes=[Route("/health", _health), *parts.routes],
        exception_handlers={HTTPException: _http, Exception: _bug},
    )
    return Doors(inner, parts.hosts)


async def _health(_: Request) -> Response:
    return PlainTextResponse("up\n")


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)


async def _bug(_: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    return PlainTextResponse("An error of this tool; its log says more.\n", 500)
