"""What `runbook doctor` asks of production beside fleet and state: the server, the rules, whoever watches a rollout."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.surroundings import alerts_of, server_at
from runbook.cli.compose import Session
from runbook.config import load_config
from runbook.engine.rollout.state import current_of
from runbook.errors import RunbookError
from runbook.model.configuration import ServeSettings
from runbook.model.rails import is_production
from runbook.model.target import Target

WANTED = ("NodeDown", "RunbookServeDown", "RolloutWatchSilent")
"""Alerts without which silence would look like health; `runbook monitoring write` writes them with all the others."""

LATE_LOOKS = 3.0
"""Nobody watches where the last sign of life is older than so many looks take, as the alert has it."""


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


def watched(current: Session, target: str, rollout: str) -> str:
    """When somebody last watched that rollout of the target, which is under way.

    Raises:
        RunbookError: nobody does.
    """
    sign = FileHeartbeats(current.state).last(target)
    hint = f"runbook rollout watch --target {target}"
    if sign is None or sign.rollout != rollout:
        raise RunbookError(f"rollout {rollout} is under way, and nobody has watched it yet", hint=hint)
    seen = sign.seen.isoformat(timespec="seconds")
    if current.clock.now() - sign.seen > sign.every * LATE_LOOKS:  # by a timer, each watch ends after one look
        ended = f": {sign.ended}" if sign.ended else ""
        raise RunbookError(f"rollout {rollout} is under way, and was last watched at {seen}{ended}", hint=hint)
    return f"rollout {rollout}, {sign.phase}: last watched at {seen}"
