"""What a live node speaks, against the operations contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runbook.engine.check.named import Kind, Named
from runbook.errors import UnreachableError
from runbook.model.answer import Answer
from runbook.model.contract import ENDPOINTS, METRICS, Endpoint
from runbook.model.target import Node


class Speaks(Protocol):
    """Asking a node without changing anything; each raises UnreachableError where there is no answer."""

    def methods(self, node: Node, path: str) -> frozenset[str] | None:
        """The methods of a path: none where there is no such path, None where the node does not tell."""
        ...

    def answers(self, node: Node, path: str) -> bool | None:
        """Is there anything at the path? None where the answer does not tell."""
        ...

    def exported(self, node: Node) -> frozenset[str]:
        """The names of its metrics and of their samples."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What one node told: the methods of each path, its metrics (None where it does not tell), or why it was silent.

    `found` are the paths at which a GET found something, asked where the methods were not told.
    """

    node: str
    methods: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    exported: frozenset[str] | None = None
    found: frozenset[str] = frozenset()
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One name of the contract, and whether the node speaks it."""

    node: str
    named: Named
    answer: Answer


def asked() -> tuple[Endpoint, ...]:
    """The endpoints that a node of today must have."""
    return tuple(each for each in ENDPOINTS if not each.planned)


def hear(node: Node, asks: Speaks) -> Heard:
    """Ask one node for all of the contract. One that does not answer is silent, whatever it said before.

    Raises:
        RefusedError: the node's token is not kept as it must be.
    """
    methods: dict[str, frozenset[str] | None] = {}
    found: set[str] = set()
    try:
        for endpoint in asked():
            allowed = asks.methods(node, endpoint.path.replace("{id}", "-").replace("{fault}", "latency"))
            if allowed is None and "GET" in endpoint.methods and "{" not in endpoint.path:
                there = asks.answers(node, endpoint.path)
                allowed = frozenset() if there is False else None
                found.update({endpoint.path} if there else ())
            methods[endpoint.path] = allowed
    except UnreachableError as error:
        return Heard(node.name, silence=error.message)
    try:
        exported = asks.exported(node)
    except UnreachableError:  # it answers, but not with metrics: an idle upstream server has none
        exported = None
    return Heard(node.name, methods, exported, frozenset(found))


def spoken(heard: Heard) -> Iterator[Spoken]:
    """Each metric and each method of each endpoint; nothing where the node was silent."""
    if heard.silence:
        return
    for metric in METRICS.values():
        there = any(name in (heard.exported or ()) for name in (metric.name, *metric.series))
        if metric.always or there:
            answer = Answer.UNKNOWN if heard.exported is None else _answer(there=there)
            yield Spoken(heard.node, Named(Kind.METRIC, metric.name, 0, there), answer)
    for endpoint in asked():
        allowed = heard.methods.get(endpoint.path)
        for method in endpoint.methods:
            got = method == "GET" and endpoint.path in heard.found
            there = got or (allowed is not None and method in allowed)
            answer = Answer.UNKNOWN if allowed is None and not got else _answer(there=there)
            yield Spoken(heard.node, Named(Kind.ENDPOINT, f"{method} {endpoint.path}", 0, there), answer)


def _answer(*, there: bool) -> Answer:
    return Answer.YES if there else Answer.NO
