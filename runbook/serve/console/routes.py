"""The pages of the console. Its last route answers every address that is none: it comes behind all others."""

from hashlib import sha256
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from runbook.report.palette import CHARTS, PALETTE
from runbook.serve.console.alerts import alerts
from runbook.serve.console.entries import entry, journal
from runbook.serve.console.overview import overview
from runbook.serve.console.pages import POLICY, Content, Page
from runbook.serve.console.rollouts import rollout, rollouts
from runbook.serve.console.runs import run, runs
from runbook.serve.console.shown import warm_up
from runbook.serve.console.source import Source
from runbook.serve.console.validator import validator


def routes(source: Source) -> list[BaseRoute]:
    """Every page."""
    warm_up()
    pages = (
        ("/", "overview", overview),
        ("/rollout", "rollout", rollouts),
        ("/rollout/{id}", "rollout", rollout),
        ("/validator", "validator", validator),
        ("/runs", "runs", runs),
        ("/runs/{id}", "runs", run),
        ("/journal", "journal", journal),
        ("/journal/{seq}", "journal", entry),
        ("/alerts", "alerts", alerts),
        ("/{path:path}", "", _nowhere),
    )
    own = [Route(path, Page(source, build, place)) for path, place, build in pages]
    return [_file("/style.css", stylesheet(), "text/css"), _file("/icon.svg", _text("icon.svg"), "image/svg+xml"), *own]


def stylesheet() -> str:
    """The one stylesheet of all pages: the colours of the reports, and the console's own rules."""
    return PALETTE + CHARTS + _text("console.css")


def _text(name: str) -> str:
    return (files("runbook.serve.console") / "templates" / name).read_text(encoding="utf-8")


def _nowhere(_: Source, request: Request) -> Content:
    raise HTTPException(404, f"There is no page {request.url.path[:200]}.")


def _file(path: str, text: str, kind: str) -> Route:
    """What never changes while the server runs: a browser that has it is told so."""
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}

    def answer(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, media_type=kind, headers=headers)

    return Route(path, answer)
