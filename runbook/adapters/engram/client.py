"""Requests to one node, with its token and with patience."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.adapters.engram.token import authorization
from runbook.model.target import Node
from runbook.wire import OnRetry, Reply, Wire, patiently


@dataclass(frozen=True, slots=True)
class Client:
    """Asks nodes; every retry is said to `on_retry`."""

    wire: Wire
    on_retry: OnRetry
    sleep: Callable[[float], None]
    allow_plain_http: bool

    def get(self, node: Node, path: str, *, admin: bool = True) -> Reply:
        """The answer to a GET, whose status is 200.

        Raises:
            NoReplyError: there is none, or another status.
            RefusedError: the token is not kept as it must be.
        """

        def ask() -> Reply:
            headers = authorization(node, allow_plain_http=self.allow_plain_http) if admin else {}
            return self.wire.exchange("GET", node.url + path, headers=headers).checked()

        return patiently(node.name, ask, self.on_retry, self.sleep)

    def ask(self, node: Node, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to one GET, whatever its status; it is not repeated.

        Raises:
            NoReplyError: there is none.
            RefusedError: the token is not kept as it must be.
        """
        token = authorization(node, allow_plain_http=self.allow_plain_http)
        return self.wire.exchange("GET", node.url + path, headers={**token, **(headers or {})})

    def send(self, method: str, node: Node, path: str, document: Mapping[str, Any]) -> Reply:
        """The answer to one request with a JSON body, whatever its status; it is not repeated.

        Raises:
            NoReplyError: there is none.
            RefusedError: the token is not kept as it must be.
        """
        import orjson  # noqa: PLC0415  # only those who talk to a peer pay for it

        headers = authorization(node, allow_plain_http=self.allow_plain_http) | {"Content-Type": "application/json"}
        return self.wire.exchange(method, node.url + path, headers=headers, body=orjson.dumps(document))
