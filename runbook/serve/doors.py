"""What every request passes before its route: the name it asked for, how many are under way, how long it takes.

What every answer takes along: the headers that keep a browser from doing more with it than showing it.
"""

import asyncio
import ipaddress
from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_AT_ONCE = 32
REQUEST_SECONDS = 30.0
RETRY_AFTER_SECONDS = "5"
LOCAL = frozenset({"localhost", "localhost."})
_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    b" font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)


class Doors:
    """The application behind its doors. `hosts` are the names by which it may be asked, beside addresses.

    A page of somebody else's that makes its own name point here (DNS rebinding) sends that name: it is refused. An
    address in the `Host` header was typed by nobody's page but ours.
    """

    def __init__(self, inner: ASGIApp, hosts: Iterable[str]) -> None:
        self._inner = inner
        self._hosts = LOCAL | {each.lower() for each in hosts}
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if not self._knows(scope):
            answer = PlainTextResponse("This server is not called so: [serve] hosts says how it may be.\n", 421)
            await answer(scope, receive, _dressed(send))
        elif self._under_way >= MOST_AT_ONCE:
            answer = PlainTextResponse("Too many requests at once.\n", 503, {"Retry-After": RETRY_AFTER_SECONDS})
            await answer(scope, receive, _dressed(send))
        else:
            await self._let_in(scope, receive, _dressed(send))

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._under_way += 1
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._inner(scope, receive, noting)
        except TimeoutError:
            if begun:  # half an answer cannot be taken back: the connection ends, and whoever asked notices
                raise
            answer = PlainTextResponse("It took too long.\n", 503, {"Retry-After": RETRY_AFTER_SECONDS})
            await answer(scope, receive, send)
        finally:
            self._under_way -= 1

    def _knows(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return False
        host = _without_port(named[0].decode("latin-1").lower())
        return host in self._hosts or _is_address(host)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and (not name.count(":") or name.endswith("]")) else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _dressed(send: Send) -> Send:
    """Add the headers that an answer does not have yet."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(each for each in SECURITY_HEADERS if each[0] not in names)]
        await send(message)

    return sending
