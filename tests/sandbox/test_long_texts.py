"""A text of a hundred thousand letters takes a second to embed: nobody else waits for it."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from runbook.sandbox.embedding import Vector, embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.web import data, episode

PATH = "/api/v1/memories/remember"


def posted(document: dict[str, Any]) -> Request:
    """That document, on its way to be remembered."""

    async def receive() -> Message:
        return {"type": "http.request", "body": orjson.dumps(document), "more_body": False}

    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": []}
    return Request(scope | {"server": ("127.0.0.1", 1)}, receive)


@pytest.mark.parametrize(("words", "apart"), [(20, False), (10_000, True)])
def test_a_long_text_is_embedded_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: int, *, apart: bool
) -> None:
    """A short one right there, which is faster."""
    threads = []

    def watched(text: str) -> Vector:
        threads.append(threading.current_thread())
        return embed(text)

    monkeypatch.setattr(episode, "embed", watched)
    engine = Engine(tmp_path)
    (remember,) = (route.endpoint for route in data.routes(engine) if route.path == PATH)
    try:
        answer = asyncio.run(remember(posted({"id": "long", "content": "kettle " * words})))
        assert answer.status_code == 201
        assert [thread is not threading.current_thread() for thread in threads] == [apart]
        assert "long" in engine.memory.spaces["default"].episodes
    finally:
        engine.close()
