"""Peers that take their time: nobody holds a connection, a place or the end of the server by being slow."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.serve import doors, server
from runbook.serve.app import Parts, application
from runbook.serve.webhook import endpoint
from runbook.serve.webhook.credential import Credential
from runbook.serve.webhook.intake import Desk, Intake
from runbook.serve.webhook.outcomes import Outcome, Outcomes

BRIEF = 0.2
Talk = Callable[[int], Awaitable[bytes]]


class OneTarget:
    """`Targets` with one that is known by any name."""

    def known(self, name: str) -> str:
        """Its name."""
        return name or "prod"


async def said(port: int, *parts: bytes) -> bytes:
    """All that the server says to these parts, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    found = b""
    with suppress(ConnectionResetError):
        while chunk := await asyncio.wait_for(reader.read(4096), 20):
            found += chunk
    writer.close()
    return found


def talked(make: Callable[[], Parts], talk: Talk) -> bytes:
    """What a real server on a real socket says; it is made within the loop, and ended at the end."""

    async def run() -> bytes:
        with server.listener("127.0.0.1", 0) as listening:
            running = server.Server(server._config(application(make())), lambda: None)
            task = asyncio.create_task(running.serve(sockets=[listening]))
            try:
                return await talk(listening.getsockname()[1])
            finally:
                running.should_exit = True
                await task

    return asyncio.run(run())


def test_who_connects_and_does_not_ask_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With half a head, or with nothing at all."""
    monkeypatch.setattr(server, "HEAD_SECONDS", BRIEF)
    assert talked(lambda: Parts(()), lambda port: said(port, b"GET /health HTTP/1.1\r\nHost: loc")) == b""
    assert talked(lambda: Parts(()), said) == b""


def test_who_asks_and_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while what was answered already waits to be read: it would be held for ever."""
    monkeypatch.setattr(server, "HEAD_SECONDS", BRIEF)
    monkeypatch.setattr(doors, "REQUEST_SECONDS", BRIEF)

    async def large(_: Request) -> Response:
        return PlainTextResponse(b"x" * (64 << 20))

    async def unread(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.settimeout(0)
            await asyncio.get_running_loop().sock_sendall(line, b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with asyncio.timeout(20):
                while True:
                    try:  # what the server has given up is reset, however much of it is unread
                        await asyncio.get_running_loop().sock_sendall(line, b"\r\n")
                    except ConnectionError:
                        return b"hung up"
                    await asyncio.sleep(BRIEF / 4)

    assert talked(lambda: Parts((Route("/large", large),)), unread) == b"hung up"


def test_connections_without_end_are_not_held_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is bounded, whatever they are for; the first ones are held as before."""
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)

    async def fifth(port: int) -> bytes:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        found = await said(port)
        for _, writer in held:
            assert not writer.is_closing()
            writer.close()
        return found

    begin = time.monotonic()
    assert talked(lambda: Parts(()), fifth) == b""
    assert time.monotonic() - begin < server.HEAD_SECONDS


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """503, and when to come again."""
    monkeypatch.setattr(doors, "REQUEST_SECONDS", BRIEF)

    async def slow(_: Request) -> Response:
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    head = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talked(lambda: Parts((Route("/slow", slow),)), lambda port: said(port, head))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in answer


def test_more_at_once_than_it_takes_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and with when to come again."""
    monkeypatch.setattr(doors, "MOST_AT_ONCE", 0)
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talked(lambda: Parts(()), lambda port: said(port, head))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in answer


def test_a_body_that_trickles_in_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """408, counted; half a body and then silence, with the right token."""
    monkeypatch.setattr(endpoint, "BODY_SECONDS", BRIEF)
    file = tmp_path_factory.mktemp("t") / "token"
    file.write_text("a-token-of-this-test")
    file.chmod(0o600)
    outcomes, clock = Outcomes(), MemoryClock()

    def make() -> Parts:
        intake = Intake(Desk(MemoryJournal(clock, "anna", "bastion"), clock, OneTarget(), print))
        return Parts(endpoint.routes(endpoint.Webhook(Credential(file), intake, outcomes, clock, print)))

    head = b"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-of-this-test\r\n"
    answer = talked(make, lambda port: said(port, head, b'Content-Length: 1000\r\n\r\n{"version"'))
    assert answer.startswith(b"HTTP/1.1 408")
    assert outcomes.counts[Outcome.TOO_SLOW] == 1
