"""What `runbook doctor` asks of production beside fleet and state: the server, the rules, whoever watches a rollout."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook.adapters.surroundings import alerts_of, server_at
from runbook.cli.compose import Session
from runbook.cli.rollout.watched import watched
from runbook.config import load_config
from runbook.engine.rollout.state import current_of
from runbook.errors import RunbookError
from runbook.model.configuration import ServeSettings
from runbook.model.rails import is_production
from runbook.model.target import Target

WANTED = ("NodeDown", "RunbookServeDown", "RolloutWatchSilent")
"""Alerts without which silence would look like health; `runbook monitoring write` writes them with all the others."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is asked: the answer is text, or raises `RunbookError` where it is not as it must be."""

    name: str
    ask: Callable[[], str]


def questions(current: Session, target: Target, config: Path | None) -> Iterator[Question]:
    """Only what somebody has asked for: a server that takes alerts, a production that Prometheus watches, a rollout."""
    serve = load_config(os.environ, config).serve
    if serve.webhook_token_file is not None:
        yield Question("server", lambda: _server(serve))
    if target.prometheus is not None and is_production(target.environment):
        url = target.prometheus
        yield Question("alert rules", lambda: _rules(url))
    if (rollout := current_of(current.journal.entries(), target.name)) is not None:
        yield Question("watch", lambda: watched(current, target.name, rollout.id))


def _server(serve: ServeSettings) -> str:
    host = "127.0.0.1" if serve.host in ("0.0.0.0", "::") else serve.host  # noqa: S104 - it is asked, not listened on
    url = f"http://{f'[{host}]' if ':' in host else host}:{serve.port}"
    server_at(url)
    return f"{url}: up"


def _rules(prometheus: str) -> str:
    loaded = alerts_of(prometheus)
    if missing := [name for name in WANTED if name not in loaded]:
        what = f"Prometheus at {prometheus} has not loaded {', '.join(missing)}"
        raise RunbookError(what, hint="runbook monitoring write: docs/how-to/monitor-with-prometheus.md")
    return f"{len(loaded)} alerts are loaded at {prometheus}"
