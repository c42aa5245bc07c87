"""A real node as a process of its own, as tests see it."""

import http.client
import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest
from forked import Forked


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """The first true value of the condition; the test fails when it stays false."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s in vain: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return value


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `json` is its body where that is JSON."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error answer."""
        return str(self.json["error"]["code"])


@dataclass
class RunningNode:
    """One node process. `stop` and `kill` end exactly this one."""

    process: Forked
    folder: Path
    port: int
    token: str
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_file(self) -> Path:
        return self.folder / "admin.token"

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        space: str | None = None,
    ) -> Reply:
        """One request on a connection of its own; bytes are sent as they are, anything else as JSON."""
        named = {} if space is None else {"X-Memory-Space": space}
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, raw, {**headers, **named})
            response = connection.getresponse()
            return Reply(response.status, response.read(), {k.lower(): v for k, v in response.getheaders()})
        finally:
            connection.close()

    def admin(self, method: str, path: str, body: Any = None) -> Reply:
        """A request to the admin plane, with the token; `path` is what follows /api/v1/admin/."""
        return self.ask(method, f"/api/v1/admin/{path}", body, headers={"Authorization": f"Bearer {self.token}"})

    def remember(self, content: str, space: str | None = None, **more: Any) -> Reply:
        return self.ask("POST", "/api/v1/memories/remember", {"content": content, **more}, space=space)

    def recall(self, query: str, space: str | None = None, **more: Any) -> Reply:
        options = "".join(f"&{name}={value}" for name, value in more.items())
        return self.ask("GET", f"/api/v1/memories/recall?query={quote(query)}{options}", space=space)

    def health(self) -> Any:
        """The system health document."""
        return self.ask("GET", "/api/v1/system/health").json

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with its labels, as the exposition writes it."""
        lines = self.ask("GET", "/metrics/prometheus").body.decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def settle(self) -> None:
        """Wait until consolidation has nothing left to do."""
        wait_until(lambda: self.health()["settled"], "the node did not settle")

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)


StartNode = Callable[..., RunningNode]
