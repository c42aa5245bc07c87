"""The Prometheus text format, read strictly, but only the lines asked for: parsing costs more than fetching."""

import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from runbook.wire.dialect import IDLE_REASON, UPSTREAM_REASON, is_upstream
from runbook.wire.exchange import NoReplyError, Reply

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class ForeignMetricsError(NoReplyError):
    """The node answered, but with metrics of another kind, or with none: no number can be made of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One series of a node at one moment; labels are sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


def readings(reply: Reply, names: Collection[str]) -> list[Reading]:
    """The series of these names. What is not a finite number is left out; of duplicates the last one counts.

    Raises:
        NoReplyError: the body is no Prometheus text.
        ForeignMetricsError: it is that of upstream Engram 0.1, or empty, as upstream's is while it is idle.
    """
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # 70 ms

    if not reply.body.strip():
        raise ForeignMetricsError(f"answered with {reply.kind()} instead of Prometheus text; {IDLE_REASON}")
    try:
        seen: set[str] = set()
        text = "\n".join(_wanted(reply.body.decode(), frozenset(names), seen)) + "\n"
        found = {
            (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name in names
        }
    except (ValueError, KeyError, IndexError, AttributeError):
        raise NoReplyError(f"answered with {reply.kind()} instead of Prometheus text") from None
    if is_upstream(seen):
        raise ForeignMetricsError(UPSTREAM_REASON)
    return [Reading(name, labels, value) for (name, labels), value in found.items() if math.isfinite(value)]


def _wanted(text: str, names: frozenset[str], seen: set[str]) -> Iterator[str]:
    """The lines of these names, and the first line that holds a sample at all: it proves what kind of text this is.

    Every name of the text goes into `seen`.

    Raises:
        ValueError: there is no line that could hold a sample.
    """
    first = True
    for line in _samples(text.split("\n")):
        found = _NAME.match(line)
        if found is None:
            raise ValueError(line)
        seen.add(found.group())
        if first or found.group() in names:
            yield line
        first = False
    if first:
        raise ValueError(text)


def _samples(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
