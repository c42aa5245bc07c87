"""What one node really speaks: its paths with their methods, and its metrics. Nothing is changed by asking."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from runbook.adapters.engram.token import authorization
from runbook.engine.check.live import Heard, hear
from runbook.model.contract import ADMIN
from runbook.model.target import Node
from runbook.wire import NoReplyError, OnRetry, Reply, Wire, fan_out, patiently, quiet

_NOT_FOUND = 404
_METHOD_REFUSED = 405
_NOT_SAID = frozenset({401, 403, _METHOD_REFUSED, 408, 429})
_FAILED = 500
_ANSWERED = frozenset({200, 204, _METHOD_REFUSED})
_TYPE = re.compile(rb"^# TYPE ([a-zA-Z_:][\w:]*) (\w+)", re.MULTILINE)
_SAMPLE = re.compile(rb"^([a-zA-Z_:][\w:]*)(?:\{|\s)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Speaking:
    """Asks nodes with OPTIONS and GET alone."""

    allow_plain_http: bool
    on_retry: OnRetry = quiet
    wire: Wire = field(default_factory=Wire)

    def hear_all(self, nodes: Sequence[Node]) -> tuple[Heard, ...]:
        """All of the contract asked of all nodes at once; one that does not answer is silent.

        Raises:
            RefusedError: a node's token is not kept as it must be.
        """
        return tuple(fan_out(nodes, lambda node: hear(node, self)))

    def methods(self, node: Node, path: str) -> frozenset[str] | None:
        """The methods of a path: none where there is no such path, None where the node does not tell.

        Raises:
            NoReplyError: the node did not answer.
            RefusedError: the token is not kept as it must be.
        """
        reply = self._ask("OPTIONS", node, path)
        if reply.status == _NOT_FOUND:
            return frozenset()
        allowed = reply.headers.get("allow")
        if reply.status not in _ANSWERED or allowed is None:
            return None
        return frozenset(re.findall(r"[A-Z]+", allowed))

    def answers(self, node: Node, path: str) -> bool | None:
        """Is there anything at the path? A GET is asked; None where the answer does not tell.

        Raises:
            NoReplyError: the node did not answer.
            RefusedError: the token is not kept as it must be.
        """
        status = self._ask("GET", node, path).status
        if status == _NOT_FOUND:
            return False
        return True if status < _FAILED and status not in _NOT_SAID else None

    def exported(self, node: Node) -> frozenset[str]:
        """The names of its metrics and of their samples.

        Raises:
            NoReplyError: the node did not answer, or with something else than metrics.
            RefusedError: the token is not kept as it must be.
        """
        reply = self._ask("GET", node, "/metrics/prometheus")
        reply.checked()
        names = {found[0] for found in _TYPE.findall(reply.body)} | set(_SAMPLE.findall(reply.body))
        if not names:
            raise NoReplyError(f"answered with {reply.kind()} instead of Prometheus text")
        return frozenset(name.decode() for name in names)

    def _ask(self, method: str, node: Node, path: str) -> Reply:
        def ask() -> Reply:
            headers = authorization(node, allow_plain_http=self.allow_plain_http) if path.startswith(ADMIN) else {}
            return self.wire.exchange(method, node.url + path, headers=headers)

        return patiently(node.name, ask, self.on_retry)
