"""Metrics from a Prometheus server, which knows the past without having been asked to watch."""

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from runbook.errors import UnreachableError
from runbook.model.measurement import NodeSamples, Sample, Samples, Series, Silence
from runbook.model.target import Node
from runbook.wire import NoReplyError, OnRetry, Reply, Wire, patiently, quiet
from runbook.wire.dialect import UPSTREAM_MARKS, UPSTREAM_REASON, is_upstream
from runbook.wire.exchange import printable

_LIMIT_BYTES = 64 << 20
_UP = "up"
_OF_THE_SCRAPER = frozenset({"__name__", "instance", "node", "job"})
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

_Labelled = tuple[dict[str, str], tuple[Sample, ...]]


class PrometheusProbes:
    """The port `Probes` over the HTTP API of Prometheus.

    A series belongs to the node whose host and port its label `instance` names, or whose name its label `node`
    is. `Sample.at` is Prometheus' own time. A node that Prometheus cannot scrape now is silent, whatever was
    known of it before.

    Args:
        url: base URL of the server, without a slash at its end.
        on_retry: is told of every retry.
        wire: the connection, with its limits.
        sleep: how to wait before a retry.
    """

    looks_back = True
    usual_window = timedelta(minutes=5)  # twenty samples at the usual 15 s, five at one a minute

    def __init__(
        self,
        url: str,
        *,
        on_retry: OnRetry = quiet,
        wire: Wire | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = url
        self._on_retry = on_retry
        self._wire = wire or Wire(limit_bytes=_LIMIT_BYTES)
        self._sleep = sleep

    def observe(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        """Nothing to do: Prometheus observes all the time."""

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        """The raw samples of the last `window`, by node.

        Raises:
            UnreachableError: Prometheus does not answer, or not with a result.
        """
        if not nodes:
            return {}
        span = f"[{max(1, math.ceil(window.total_seconds()))}s]"
        metrics = f"__name__=~{_any_of(dict.fromkeys([*names, _UP, *UPSTREAM_MARKS]))}"
        instances = _any_of(node.instance for node in nodes)
        labelled = _any_of(node.name for node in nodes)
        by_instance = self._query(f"{{{metrics},instance=~{instances}}}{span}")
        by_name = self._query(f"{{{metrics},node=~{labelled},instance!~{instances}}}{span}")
        return {
            node.name: _samples_of(
                node,
                [found for found in by_instance if found[0].get("instance") == node.instance]
                + [found for found in by_name if found[0].get("node") == node.name],
            )
            for node in nodes
        }

    def _query(self, expression: str) -> list[_Labelled]:
        """The series of a range selector, evaluated now; a form, because a selector of many nodes is long."""
        body = urlencode({"query": expression}).encode()

        def ask() -> list[_Labelled]:
            return _result(self._wire.exchange("POST", f"{self.source}/api/v1/query", headers=_FORM, body=body))

        try:
            return patiently("prometheus", ask, self._on_retry, self._sleep)
        except NoReplyError as error:
            raise UnreachableError(
                f"Prometheus at {self.source}: {error.message}",
                hint="is it running? without `prometheus` in runbook.toml the nodes are scraped directly",
            ) from None


def _any_of(words: Iterable[str]) -> str:
    """A PromQL text that matches exactly these words; Prometheus anchors it."""
    return json.dumps("|".join(re.escape(word) for word in words), ensure_ascii=False)


def _result(reply: Reply) -> list[_Labelled]:
    """The series of an answer, without what is no number.

    Raises:
        NoReplyError: it is none of Prometheus', or an error.
    """
    _refuse_error(reply)
    document = reply.checked().json()
    try:
        return [(dict(each["metric"]), _numbers(each["values"])) for each in document["data"]["result"]]
    except (KeyError, TypeError, ValueError):
        raise NoReplyError("answered with JSON that is no query result") from None


def _refuse_error(reply: Reply) -> None:
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return  # worth another try, which `checked` decides
    try:
        document = reply.json()
    except NoReplyError:
        return
    if isinstance(document, Mapping) and document.get("status") == "error":
        raise NoReplyError(f"refused the query: {printable(str(document.get('error')))}", status=reply.status)


def _numbers(values: Any) -> tuple[Sample, ...]:
    samples = (Sample(float(at), float(value)) for at, value in values)
    return tuple(sample for sample in samples if math.isfinite(sample.value))


def _samples_of(node: Node, found: Sequence[_Labelled]) -> NodeSamples | Silence:
    """The series of one node. Where two jobs scrape it, everything is there twice: the fuller one counts."""
    best: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Sample, ...]] = {}
    ups: list[Sample] = []
    for labels, samples in found:
        if labels["__name__"] == _UP:
            ups.extend(samples)
            continue
        own = tuple(sorted((name, value) for name, value in labels.items() if name not in _OF_THE_SCRAPER))
        key = (labels["__name__"], own)
        best[key] = max(best.get(key, ()), samples, key=len)
    if ups and max(ups, key=lambda sample: (sample.at, sample.value)).value == 0:
        return Silence(node.name, "Prometheus cannot scrape it (up is 0)")
    if is_upstream({name for name, _ in best}):
        return Silence(node.name, UPSTREAM_REASON, answered=True)
    series = tuple(Series(*key, samples) for key, samples in sorted(best.items()) if samples)
    if not series:
        return Silence(node.name, f"no series in Prometheus for instance={node.instance}", answered=bool(ups))
    return NodeSamples(node.name, series)
