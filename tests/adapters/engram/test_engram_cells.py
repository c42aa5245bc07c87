"""Rows that cannot be true silence their node, with the reason; nothing is mended, and nothing hangs or drowns."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers import Answer, Peer, closed_port, dripping, endless, hang, http

from runbook.adapters.engram import EngramCells
from runbook.adapters.engram.cells import _cell
from runbook.model.cells import NodeCells
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.wire import Wire

ROW = {
    "bucket": 10,
    "space": "alpha",
    "group": "control",
    "n": 2,
    "log_latency_sum": 3.0,
    "log_latency_sum_squares": 5.0,
    "errors": 1,
    "over_slo": 1,
    "confidence_n": 2,
    "confidence_sum": 1.5,
    "confidence_sum_squares": 1.2,
}
SMALL = Wire(connect=1.0, read=0.3, total=1.0, limit_bytes=1 << 20)


def told(document: Any, status: str = "200 OK") -> NodeCells | Silence:
    """What the adapter makes of that answer."""
    with Peer(lambda _: http(document, status)) as peer:
        return EngramCells(wire=SMALL, sleep=lambda _: None).cells([Node("n1", peer.url)], {})["n1"]


def silence(document: Any) -> str:
    """Why it does not take the document."""
    found = told(document)
    assert isinstance(found, Silence), found
    return found.reason


def rows(**changes: Any) -> dict[str, Any]:
    """A document with one row, changed; None takes the field away."""
    row = {name: value for name, value in (ROW | changes).items() if value is not None}
    return {"bucket_seconds": 2, "cells": [row]}


def test_a_true_row_is_read_as_it_is() -> None:
    """Every number comes through, and the node's bucket length with it."""
    found = told(rows())
    assert isinstance(found, NodeCells)
    (cell,) = found.cells
    assert (cell.node, cell.seconds) == ("n1", 2)
    for name, value in ROW.items():
        assert getattr(cell, name) == value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": -1}, "n is -1"),
        ({"n": True}, "n is True"),
        ({"n": 2.0}, "n is 2.0"),
        ({"n": "2"}, "n is '2'"),
        ({"n": None}, "n is missing"),
        ({"n": 2**60}, "no whole number"),
        ({"bucket": 1.5}, "bucket is 1.5"),
        ({"errors": -3}, "errors is -3"),
        ({"over_slo": 3}, "more slow or confident recalls than recalls"),
        ({"confidence_n": 3, "confidence_sum_squares": 1.5}, "more slow or confident recalls than recalls"),
        ({"log_latency_sum": "3"}, "no finite number"),
        ({"log_latency_sum": None}, "is missing"),
        ({"log_latency_sum": 1e6}, "log_latency_sum is 1e+06 for 2 values"),
        ({"log_latency_sum_squares": 1.0}, "log_latency_sum_squares is 1 for 2 values with sum 3"),
        ({"log_latency_sum_squares": -1.0}, "log_latency_sum_squares is -1"),
        ({"confidence_sum": 2.5}, "confidence_sum is 2.5 for 2 values from 0 to 1"),
        ({"confidence_sum": -0.5}, "confidence_sum is -0.5"),
        ({"n": 0, "over_slo": 0, "confidence_n": 0}, "for 0 values"),
        ({"space": ""}, "names no space"),
        ({"space": 7}, "names no space"),
        ({"group": "both"}, "no group of ours, but 'both'"),
        ({"group": ["control"]}, "no group of ours"),
    ],
)
def test_a_row_that_cannot_be_true_silences_the_node(changes: dict[str, Any], reason: str) -> None:
    """The reason names the row and the field."""
    found = silence(rows(**changes))
    assert reason in found
    assert "cell 0" in found


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "no list of cells"),
        ({"cells": []}, "bucket_seconds is missing"),
        ({"bucket_seconds": 0, "cells": []}, "bucket_seconds is 0"),
        ({"bucket_seconds": 2, "cells": {}}, "no list of cells"),
        ({"bucket_seconds": 2, "cells": [3]}, "cell 0 is no object"),
        ({"bucket_seconds": 2, "cells": [ROW, ROW]}, "cell 1 is told twice"),
        (json.dumps(rows(log_latency_sum=float("nan"))), "instead of JSON"),
        (json.dumps(rows()).replace("3.0", "1e999"), ""),
        ("<html>who are you?</html>", "HTML instead of JSON"),
        ("", "nothing instead of JSON"),
    ],
)
def test_an_answer_of_another_kind_is_silence(document: Any, reason: str) -> None:
    """HTML, NaN, nothing, other JSON: each with its reason, and none is a row."""
    assert reason in silence(document)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hang, "timed out"),
        (dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" "), "timed out"),
        (endless, "more than 1 MiB"),
    ],
)
def test_a_node_that_hangs_drips_or_never_ends_is_silent_in_time(answer: Answer, reason: str) -> None:
    """No peer holds the reading up for longer, or makes it hold more, than the wire allows."""
    with Peer(lambda _: answer) as peer:
        found = EngramCells(wire=SMALL, sleep=lambda _: None).cells([Node("n1", peer.url)], {})["n1"]
    assert isinstance(found, Silence)
    assert reason in found.reason


def test_a_node_that_refuses_the_token_says_so() -> None:
    """A status that is neither 200 nor 404 is told with its number."""
    found = told({"error": {"code": "x", "message": "no"}}, "401 Unauthorized")
    assert isinstance(found, Silence)
    assert ("401" in found.reason, found.answered) == (True, False)


def test_one_wrong_node_does_not_hide_the_others() -> None:
    """The rows of the others are read all the same."""
    with Peer(lambda _: http(rows())) as well:
        nodes = [Node("gone", f"http://127.0.0.1:{closed_port()}"), Node("well", well.url)]
        found = EngramCells(wire=SMALL, sleep=lambda _: None).cells(nodes, {"well": 12.5})
        assert isinstance(found["well"], NodeCells)
        assert isinstance(found["gone"], Silence)
        assert [request.path for request in well.requests] == ["/api/v1/admin/cells?since=12.500"]


VALUES = st.lists(st.floats(-5, 12, allow_nan=False), min_size=1, max_size=50)


@given(VALUES)
def test_sums_of_real_latencies_are_always_taken(values: list[float]) -> None:
    """However the floats round, what a node can really count is never called absurd."""
    n = len(values)
    sums = {"log_latency_sum": sum(values), "log_latency_sum_squares": sum(value * value for value in values)}
    row = ROW | {"n": n, "over_slo": 0, "confidence_n": 0, "confidence_sum": 0.0, "confidence_sum_squares": 0.0} | sums
    assert _cell("n1", 2, row, "cell 0").n == n
