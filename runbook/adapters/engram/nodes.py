"""The admin side of nodes that speak the operations contract."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from http import HTTPStatus

from runbook.adapters.engram.client import Client
from runbook.adapters.engram.concepts import read_concepts
from runbook.adapters.engram.lease import Leases
from runbook.adapters.engram.settings import read_settings
from runbook.adapters.engram.splitters import read_split
from runbook.model.concept import NodeConcepts, RecentConcept
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.settings import Settings
from runbook.model.target import Node, Way
from runbook.wire import NoReplyError, OnRetry, Wire, fan_out, quiet


class EngramNodes:
    """Reads settings, a splitter's too, and holds leases; it has no way to change a setting.

    Args:
        allow_plain_http: may a token go over plain http to another machine? (the target says)
        on_retry: is told of every retry and of every lease that is lost, from any thread.
        wire: the connections, with their limits.
        sleep: how to wait before a retry.
    """

    def __init__(
        self,
        *,
        allow_plain_http: bool = False,
        on_retry: OnRetry = quiet,
        wire: Wire | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = Client(wire or Wire(), on_retry, sleep, allow_plain_http=allow_plain_http)

    def settings(self, nodes: Sequence[Node]) -> NodeSettings:
        """Features and configuration of every node by name, what each splitter splits by, or its silence.

        Raises:
            RefusedError: a token is not kept as it must be.
        """
        return dict(zip((node.name for node in nodes), fan_out(nodes, self._settings_of), strict=True))

    def concepts(self, nodes: Sequence[Node], since: datetime, most: int) -> NodeConcepts:
        """The newest concepts of every node by name, or its silence.

        Raises:
            RefusedError: a token is not kept as it must be.
        """

        def ask(node: Node) -> tuple[RecentConcept, ...] | Silence:
            try:
                return read_concepts(self._client, node, since, most)
            except NoReplyError as error:
                return Silence(node.name, error.message)

        return dict(zip((node.name for node in nodes), fan_out(nodes, ask), strict=True))

    def lease(
        self, nodes: Sequence[Node], holder: str, run: str, ttl: timedelta
    ) -> AbstractContextManager[Callable[[], str]]:
        """Hold a lease on each node while the context lasts; what it gives tells which one was lost, and to whom.

        Raises:
            LockedError: another run holds one; those taken so far are given back.
            RefusedError: a token is not kept as it must be.
        """
        return Leases(self._client, nodes, holder, run, ttl)

    def _settings_of(self, node: Node) -> Settings | Silence:
        try:
            if node.way is Way.NGINX:
                return read_split(self._client, node)
            return read_settings(self._client, node)
        except NoReplyError as error:
            return Silence(node.name, error.message, answered=error.status == HTTPStatus.NOT_FOUND)
