"""The rows that an A/B comparison reads, as a node tells them: each is the contract's, or the node has told nothing.

One row that cannot be true says that the others may be wrong, too. So nothing is mended or left out here.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from runbook.adapters.engram.client import Client
from runbook.model.cells import GROUPS, Cell, FleetCells, NodeCells
from runbook.model.contract import ADMIN
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.wire import NoReplyError, OnRetry, Wire, fan_out, quiet
from runbook.wire.exchange import printable

NOT_SUPPORTED = "telling of cells is not supported by this node"
_LIMIT_BYTES = 64 << 20  # a node keeps 50 000 rows of some 250 bytes
_PATIENCE = 20.0  # seconds for all of them; who says nothing at all is given the wire's usual time
_MOST_SECONDS = 7 * 24 * 3600
_MOST = 2**53  # counts and moments beyond are not exact any more
_LOGARITHMS = (-14.0, 21.0)  # of milliseconds: a nanosecond to two weeks
_ROUNDING = 1e-6  # relative; sums of floats are not exact
_COUNTS = ("n", "errors", "over_slo", "confidence_n")
_SUMS = ("log_latency_sum", "log_latency_sum_squares", "confidence_sum", "confidence_sum_squares")


class EngramCells:
    """`CellSource` over the operations contract.

    Args:
        allow_plain_http: may a token go over plain http to another machine? (the target says)
        on_retry: is told of every retry, from any thread.
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
        patient = wire or Wire(total=_PATIENCE, limit_bytes=_LIMIT_BYTES)
        self._client = Client(patient, on_retry, sleep, allow_plain_http=allow_plain_http)

    def cells(self, nodes: Sequence[Node], since: Mapping[str, float]) -> FleetCells:
        """The rows of every node whose bucket ends after `since`, or its silence.

        Raises:
            RefusedError: a token is not kept as it must be.
        """

        def ask(node: Node) -> NodeCells | Silence:
            try:
                return _read(self._client, node, since.get(node.name, 0.0))
            except NoReplyError as error:
                return Silence(node.name, error.message, answered=error.status == HTTPStatus.NOT_FOUND)

        return dict(zip((node.name for node in nodes), fan_out(nodes, ask), strict=True))


def _read(client: Client, node: Node, since: float) -> NodeCells:
    try:
        document = client.get(node, f"{ADMIN}/cells?{urlencode({'since': f'{since:.3f}'})}").json()
    except NoReplyError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise NoReplyError(NOT_SUPPORTED, status=error.status) from None
        raise
    rows = document.get("cells") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(rows, list):
        raise NoReplyError("answered with JSON that is no list of cells")
    seconds = _whole(document, "bucket_seconds", "cells", least=1, most=_MOST_SECONDS)
    cells = [_cell(node.name, seconds, row, f"cell {number}") for number, row in enumerate(rows)]
    seen: set[tuple[int, str, str]] = set()
    for number, cell in enumerate(cells):
        if (key := (cell.bucket, cell.space, cell.group)) in seen:
            raise NoReplyError(f"cell {number} is told twice in one answer")
        seen.add(key)
    cells.sort(key=lambda cell: (cell.bucket, cell.space, cell.group))
    return NodeCells(node.name, seconds, tuple(cells))


def _cell(node: str, seconds: int, row: Any, place: str) -> Cell:
    if not isinstance(row, Mapping):
        raise NoReplyError(f"{place} is no object")
    space, group = row.get("space"), row.get("group")
    if not isinstance(space, str) or not space:
        raise NoReplyError(f"{place} names no space")
    if not isinstance(group, str) or group not in GROUPS:
        raise NoReplyError(f"{place} has no group of ours, but {printable(repr(group))}")
    bucket = _whole(row, "bucket", place)
    n, errors, over_slo, confidence_n = (_whole(row, name, place) for name in _COUNTS)
    latency, latency_squares, confidence, confidence_squares = (_number(row, name, place) for name in _SUMS)
    _check(f"{place}: log_latency", n, latency, latency_squares, _LOGARITHMS)
    _check(f"{place}: confidence", confidence_n, confidence, confidence_squares, (0.0, 1.0))
    if over_slo > n or confidence_n > n:
        raise NoReplyError(
            f"{place} counts more slow or confident recalls than recalls: {over_slo}, {confidence_n}, {n}"
        )
    return Cell(
        *(node, bucket, seconds, space, group, n, latency, latency_squares, errors, over_slo),
        *(confidence_n, confidence, confidence_squares),
    )


def _whole(row: Mapping[str, Any], name: str, place: str, *, least: int = 0, most: int = _MOST) -> int:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise NoReplyError(f"{place}: {name} is {_shown(value)}, which is no whole number from {least} on")
    return value


def _number(row: Mapping[str, Any], name: str, place: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NoReplyError(f"{place}: {name} is {_shown(value)}, which is no finite number")
    return float(value)


def _check(what: str, count: int, total: float, squares: float, bounds: tuple[float, float]) -> None:
    """Can so many values within those bounds have that sum and that sum of squares?"""
    least, most = bounds
    slack = _ROUNDING * (1.0 + count * max(abs(least), abs(most), 1.0) ** 2)
    if not count * least - slack <= total <= count * most + slack:
        raise NoReplyError(f"{what}_sum is {total:g} for {count} values from {least:g} to {most:g}")
    fewest = total * total / count if count else 0.0  # where all are the same
    most_squares = count * max(least * least, most * most)
    if not fewest - slack <= squares <= most_squares + slack:
        raise NoReplyError(f"{what}_sum_squares is {squares:g} for {count} values with sum {total:g}")


def _shown(value: Any) -> str:
    return "missing" if value is None else printable(repr(value))
