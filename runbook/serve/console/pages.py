"""One page: built from what is known, sent as HTML or JSON; every way of asking wrongly has its page too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from runbook.serve.console.query import REFRESH_SECONDS, choice, refresh
from runbook.serve.console.shown import rendered
from runbook.serve.console.source import SLICE_SECONDS, Source
from runbook.serve.console.standing import journal_data

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_READS = frozenset({"GET", "HEAD"})
MOST_QUERY = 2048


@dataclass(frozen=True, slots=True)
class Content:
    """What a page says: its template, title and data; `command` says the same in a terminal."""

    template: str
    title: str
    command: str
    data: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)
    """What only the HTML needs: charts."""


Build = Callable[[Source, Request], Content]


class Page:
    """An address of the console. It answers GET and HEAD, and refuses everything else: nothing is changed here."""

    def __init__(self, source: Source, build: Build, place: str) -> None:
        self._source = source
        self._build = build
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await run_in_threadpool(self._answer, request)
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        try:
            if request.method not in _READS:
                allowed = {"Allow": "GET, HEAD"}
                raise HTTPException(405, "This console only shows; it changes nothing.", allowed)  # noqa: TRY301 - one way out for every refusal
            if len(request.url.query) > MOST_QUERY:
                raise HTTPException(400, "The address is longer than any of this console.")  # noqa: TRY301 - same
            return self._found(request)
        except HTTPException as error:
            return self._refused(error)

    def _found(self, request: Request) -> Response:
        seconds, kind = refresh(request.query_params), choice(request.query_params, "format", ("html", "json"))
        self._source.journal.catch_up(SLICE_SECONDS)
        with self._source.journal.steady():
            content = self._build(self._source, request)
        if kind == "json":
            told = {"command": content.command, "journal": journal_data(self._source.journal), **content.data}
            return JSONResponse(told, headers=_HEADERS)
        again = {"Refresh": str(seconds)} if seconds else {}
        kept = {name: said for name, said in request.query_params.items() if name not in {"refresh", "format"}}
        context = {**content.data, **content.more, "path": request.url.path, "kept": kept, "refresh": seconds}
        return HTMLResponse(self._html(content, context), headers=_HEADERS | again)

    def _refused(self, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        content = Content("refused.html", phrase, "", {"status": error.status_code, "detail": error.detail})
        headers = _HEADERS | dict(error.headers or {})
        return HTMLResponse(self._html(content, content.data), error.status_code, headers)

    def _html(self, content: Content, context: Mapping[str, Any]) -> str:
        whole = {"refresh": None, "kept": {}, "path": "", **context}
        whole |= {
            "title": content.title,
            "command": content.command,
            "place": self._place,
            "journal": journal_data(self._source.journal),
            "now": self._source.now(),
            "refreshes": REFRESH_SECONDS,
        }
        return rendered(content.template, whole)
