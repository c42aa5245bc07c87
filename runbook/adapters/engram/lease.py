"""One changing run per node at a time, from whichever machine: a lease on each node, renewed in the background."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any

from runbook.adapters.engram.client import Client
from runbook.errors import LockedError
from runbook.model.target import Node
from runbook.wire import NoReplyError, Reply, fan_out, patiently
from runbook.wire.exchange import printable

_PATH = "/api/v1/admin/lease"
_RENEWALS_PER_TTL = 3
_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_NO_LEASES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class Leases:
    """Leases of one run. Nodes are taken in the order of their names, so that two runs cannot block each other.

    Nodes that know no leases or do not answer are passed over. A lease that is lost on the way (it expired while
    the network was away, and another run took it) is said through `on_retry`; it cannot be had back by force.
    Taking and renewing are idempotent for the same run, so both are tried again.
    """

    def __init__(self, client: Client, nodes: Sequence[Node], holder: str, run: str, ttl: timedelta) -> None:
        self._client = client
        self._nodes = sorted(nodes, key=lambda node: node.name)
        self._owner = {"holder": holder, "run": run}
        self._claim = {**self._owner, "ttl_seconds": ttl.total_seconds()}
        self._pause = ttl.total_seconds() / _RENEWALS_PER_TTL
        self._held: list[Node] = []
        self._lost: list[str] = []
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name=f"lease-{run}", daemon=True)

    def __enter__(self) -> Callable[[], str]:
        try:
            for node in self._nodes:
                self._take(node)
        except BaseException:
            self._release()
            raise
        self._renewer.start()
        return lambda: "; ".join(self._lost)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewer.join(self._client.wire.total)  # a renewal under way could take again what is given back
        self._release()

    def _take(self, node: Node) -> None:
        try:
            reply = patiently(node.name, lambda: self._ask(node), self._client.on_retry, self._client.sleep)
        except NoReplyError:
            return
        if reply.status == HTTPStatus.CONFLICT:
            raise LockedError(
                f"node {node.name} is locked by {holder_of(reply)}",
                hint="wait until that run has ended; see runbook runs on its machine",
            )
        if reply.status in _TAKEN:
            self._held.append(node)
        elif reply.status not in _NO_LEASES:
            self._client.on_retry(f"{node.name}: no lease: HTTP {reply.status} {printable(reply.said())}")

    def _ask(self, node: Node) -> Reply:
        reply = self._client.send("POST", node, _PATH, self._claim)
        return reply.checked() if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else reply

    def _renew(self) -> None:
        while not self._ended.wait(self._pause):
            lost = {
                node.name for node, kept in zip(self._held, fan_out(self._held, self._keep), strict=True) if not kept
            }
            self._held = [node for node in self._held if node.name not in lost]

    def _keep(self, node: Node) -> bool:
        """Renew once; False where another run has the lease now. A node that is away is asked again next time."""
        try:
            reply = self._client.send("POST", node, _PATH, self._claim)
        except Exception as error:  # noqa: BLE001  # a background thread has nobody to raise to
            self._client.on_retry(f"{node.name}: the lease could not be renewed: {error}")
            return True
        if reply.status == HTTPStatus.CONFLICT:
            self._lost.append(f"{node.name}: the lease was lost to {holder_of(reply)}")
            self._client.on_retry(self._lost[-1])
            return False
        return True

    def _release(self) -> None:
        held, self._held = self._held, []
        fan_out(held, self._give_back)

    def _give_back(self, node: Node) -> None:
        try:
            reply = self._client.send("DELETE", node, _PATH, self._owner)
            if reply.status not in _TAKEN:
                reply.checked()
        except Exception as error:  # noqa: BLE001  # best effort: it expires by itself, and nothing else may be hidden
            self._client.on_retry(f"{node.name}: the lease could not be given back and will expire: {error}")


def holder_of(reply: Reply) -> str:
    """Who holds the lease, as far as the node's refusal tells: holder, run and how long it still lasts."""
    try:
        document = reply.json()
    except NoReplyError:
        document = None
    facts: dict[str, Any] = {}
    for part in (document, _part(document, "error"), _part(document, "lease"), _part(document, "error", "lease")):
        facts |= part if isinstance(part, dict) else {}
    told = [printable(str(facts["holder"]))] if "holder" in facts else []
    if "run" in facts:
        told.append(f"run {printable(str(facts['run']))}")
    left = facts.get("seconds_left", facts.get("expires_in_seconds"))
    if isinstance(left, int | float):
        told.append(f"{left:.0f} s left")
    return ", ".join(told) or reply.said() or "another run"


def _part(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document
