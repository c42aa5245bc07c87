"""A real `runbook serve` as a process of its own, as tests see it."""

import http.client
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from forked import Forked
from jsonschema import Draft202012Validator
from running_node import Reply, wait_until

from runbook.material import schema

TOKEN = "a-token-of-this-test-and-no-other"  # noqa: S105 - of this test
LEAK = {
    "status": "firing",
    "labels": {"alertname": "MemoryLeak", "instance": "10.0.0.1:7432"},
    "annotations": {"runbook": "runbook memory-leak"},
    "startsAt": "2026-11-22T22:15:29.123Z",
    "fingerprint": "c3b8e9a1d2f40576",
}


def payload(*alerts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What Alertmanager's webhook sends."""
    return {"version": "4", "status": "firing", "receiver": "r", "alerts": list(alerts), **more}


def firing(name: str, *, begin: str = "2026-11-22T22:15:29Z", status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of that name."""
    return {**LEAK, "status": status, "startsAt": begin, "labels": {"alertname": name, **labels}, "annotations": {}}


def configured(folder: Path, inventory: Path, serve: str = "", automatic: str = "") -> Path:
    """A configuration with one target, `prod`, and a webhook with a token."""
    folder.mkdir(exist_ok=True)
    token = folder / "webhook.token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    path = folder / "runbook.toml"
    path.write_text(
        'version = 1\ndefault_target = "prod"\n[serve]\nwebhook_token_file = "webhook.token"\n'
        f'{serve}\n[targets.prod]\nenvironment = "test"\ninventory = "{inventory}"\nwarm_up = "0s"\n{automatic}\n'
    )
    return path


def inventory_of(folder: Path, url: str, token_file: Path | None = None) -> Path:
    """An inventory with one node, `node-1`."""
    host = {"engram_url": url} | ({} if token_file is None else {"engram_token_file": str(token_file)})
    path = folder / "inventory.yml"
    path.write_text(json.dumps({"all": {"hosts": {"node-1": host}}}))
    return path


@dataclass
class Serving:
    """One process. `stop` and `kill` end exactly this one; what it started it ends itself."""

    process: Forked
    said: dict[str, Any]
    state: Path
    log: Path

    @property
    def port(self) -> int:
        return int(str(self.said["url"]).rpartition(":")[2])

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
        """One request on a connection of its own; bytes are sent as they are, anything else as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, raw, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, response.read(), {k.lower(): v for k, v in response.getheaders()})
        finally:
            connection.close()

    def send(self, body: Any, token: str = TOKEN) -> Reply:
        """Alerts, with a token."""
        return self.ask("POST", "/api/v1/alerts", body, {"Authorization": f"Bearer {token}"})

    def journal(self, event: str = "") -> list[dict[str, Any]]:
        """The journal's entries of that event, as far as they are whole lines."""
        path = self.state / "journal.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [entry for entry in map(json.loads, lines) if not event or entry["event"] == event]

    def details(self, event: str) -> list[dict[str, Any]]:
        return [entry["details"] for entry in self.journal(event)]

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with its labels, as the exposition writes it."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def signalled(self, number: signal.Signals) -> int:
        """End it with that signal; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def stop(self) -> int:
        return self.signalled(signal.SIGTERM)

    def kill(self) -> None:
        self.signalled(signal.SIGKILL)


@contextmanager
def serving(folder: Path, config: Path | None, *options: str, state: Path | None = None) -> Iterator[Serving]:
    """Serve on a free port; ended whatever happens."""
    state = state or folder / "state"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "XDG_"))}
    environment = kept | {"RUNBOOK_STATE": str(state), "HOME": str(folder)}
    words = ("--config", str(config)) if config else ()
    command = ("serve", "--json", "--port", "0", *words, *options)
    log = folder / f"serve.{len(list(folder.glob('serve.*.log')))}.log"
    out = log.with_suffix(".out")
    with log.open("wb") as talk, out.open("wb") as product, Path(os.devnull).open() as nothing:
        streams = (nothing.fileno(), product.fileno(), talk.fileno())
        process = Forked("runbook", command, environment, folder, *streams)

    def announced() -> Any:
        if process.poll() is not None:
            pytest.fail(f"serve ended with {process.returncode}: {log.read_text()}")
        return out.read_text().endswith("\n")

    try:
        wait_until(announced, "serve did not say where it listens")
        document = json.loads(out.read_text())
        Draft202012Validator(schema("report.v1")).validate(document)
        yield Serving(process, document["data"], state, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
