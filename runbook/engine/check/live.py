"""What a live node speaks, against the operations contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runbook.engine.check.named import Kind, Named
from runbook.model.answer import Answer
from runbook.model.contract import ENDPOINTS, METRICS, Endpoint


@dataclass(frozen=True, slots=True)
class Heard:
    """What one node told: the methods of each path (None where it does not tell), its metrics, or why it was silent."""

    node: str
    methods: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    exported: frozenset[str] = frozenset()
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


def spoken(heard: Heard) -> Iterator[Spoken]:
    """Each metric and each method of each endpoint; nothing where the node was silent."""
    if heard.silence:
        return
    for metric in METRICS.values():
        there = metric.name in heard.exported or any(name in heard.exported for name in metric.series)
        if metric.always or there:
            yield Spoken(heard.node, Named(Kind.METRIC, metric.name, 0, there), Answer.YES if there else Answer.NO)
    for endpoint in asked():
        allowed = heard.methods.get(endpoint.path)
        for method in endpoint.methods:
            there = allowed is not None and method in allowed
            answer = Answer.UNKNOWN if allowed is None else (Answer.YES if there else Answer.NO)
            yield Spoken(heard.node, Named(Kind.ENDPOINT, f"{method} {endpoint.path}", 0, there), answer)
