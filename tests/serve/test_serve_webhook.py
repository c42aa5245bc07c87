"""The webhook of a real server: who is let in, what is taken, what is refused, and what the journal says of it."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from running_node import wait_until
from serving import LEAK, TOKEN, Serving, firing, payload

from runbook.errors import ExitCode

REFUSALS = [
    (b"", 400, "line 1"),
    (b"\xff", 400, "byte 0"),
    (b'{"version": "4", "alerts": [', 400, "line 1, column"),
    (payload(LEAK, {"labels": {}}), 400, "alerts[1].labels.alertname"),
    (payload(LEAK, LEAK | {"startsAt": None}), 400, "alerts[1].startsAt"),
    (payload(LEAK, version="5"), 400, "version '5'"),
    ({"version": "4"}, 400, "no list of alerts"),
    (payload(*[LEAK] * 201), 413, "201 alerts"),
    (b"[" * 100_000, 400, "nested"),
]


@pytest.fixture(autouse=True)
def _ready(served: Serving) -> None:
    wait_until(lambda: served.send({"alerts": []}).status == 200, "the webhook did not get ready")


def test_without_the_token_nothing_is_read(served: Serving) -> None:
    """401, before the body was sent; twice is not better."""
    for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            lines = [f"{name}: {value}" for name, value in shown.items()]
            head = ["POST /api/v1/alerts HTTP/1.1", "Host: localhost", "Content-Length: 1000000", *lines, "", ""]
            connection.sendall("\r\n".join(head).encode())
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 401")
            assert b"www-authenticate: bearer" in answer.lower()
    two = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    two.putrequest("POST", "/api/v1/alerts")
    two.putheader("Authorization", f"Bearer {TOKEN}")
    two.putheader("Authorization", "Bearer other")
    two.endheaders()
    assert two.getresponse().status == 401
    two.close()


@pytest.mark.parametrize(("body", "status", "place"), REFUSALS, ids=[place for *_, place in REFUSALS])
def test_what_is_no_payload_is_refused_with_its_place(served: Serving, body: Any, status: int, place: str) -> None:
    """And nothing of it is taken."""
    known = len(served.journal("alert.received"))
    reply = served.send(body)
    assert reply.status == status
    assert place in reply.json["error"]
    assert len(served.journal("alert.received")) == known


def test_what_says_that_it_is_too_large_is_not_read(served: Serving) -> None:
    """413 before the first byte of the body came."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        connection.sendall(f"{head}Content-Length: 1048577\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_stream_without_a_length_is_cut_off(served: Serving) -> None:
    """Nobody has to say how much it will be."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    chunks = (b" " * 65536 for _ in range(64))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        connection.request("POST", "/api/v1/alerts", chunks, headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it hung up on us while we sent: that is a refusal, too
    finally:
        connection.close()


def test_an_alert_is_taken_once(served: Serving) -> None:
    """However often it is sent, in whatever company; its end, and a firing anew or after it, are others."""
    first, end = firing("Once"), firing("Once", status="resolved")
    again = firing("Once", begin="2026-11-23T00:00:00Z")
    assert served.send(payload(first)).json == {"taken": 1}
    assert served.send(payload(first, first)).json == {"taken": 0}
    assert served.send(payload(first, end)).json == {"taken": 1}
    assert served.send(payload(end, again)).json == {"taken": 1}
    assert served.send(payload(first)).json == {"taken": 1}
    assert served.send(payload(first, again)).json == {"taken": 0}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: served.send(payload(firing("Race"))), range(16)))
    assert {reply.status for reply in replies} == {200}
    assert sum(reply.json["taken"] for reply in replies) == 1
    taken = [(each["name"], each["firing"], each["starts_at"]) for each in served.details("alert.received")]
    assert [each for each in taken if each[0] in {"Once", "Race"}] == [
        ("Once", True, "2026-11-22T22:15:29Z"),
        ("Once", False, "2026-11-22T22:15:29Z"),
        ("Once", True, "2026-11-23T00:00:00Z"),
        ("Once", True, "2026-11-22T22:15:29Z"),
        ("Race", True, "2026-11-22T22:15:29Z"),
    ]


def test_an_alert_of_a_target_that_there_is_not_is_journaled_and_told(served: Serving) -> None:
    """By either label; an address is no target, so it is the default one's."""
    alerts = [
        firing("Lost", engram_target="nowhere"),
        firing("Lost", target="gone"),
        firing("Lost", target="http://x:80/"),
    ]
    assert served.send(payload(*alerts)).json == {"taken": 3}
    found = [(each["target"], each["named"]) for each in served.details("alert.received") if each["name"] == "Lost"]
    assert found == [("", "nowhere"), ("", "gone"), ("prod", "")]
    assert "'nowhere'" in served.log.read_text()


def test_hostile_text_is_kept_as_text_and_never_without_bound(served: Serving) -> None:
    """Control characters, halves of letters, markup, huge and many labels."""
    labels = {f"l{number:04}": "x" * 5000 for number in range(100)}
    name = "<script>\x1b[2J\0\ud800" + "y" * 5000
    assert served.send(payload(firing(name, **labels))).json == {"taken": 1}
    kept = served.details("alert.received")[-1]
    assert kept["name"].startswith("<script>\ufffd[2J\ufffd\ufffdyyy")
    assert len(kept["name"]) == 100
    assert len(kept["labels"]) == 32
    assert max(map(len, kept["labels"].values())) == 500


def test_a_changed_token_is_the_token(served: Serving) -> None:
    """Two lines are two tokens, so that one can be changed; a file that others may read opens nothing."""
    file = served.log.parent / "webhook.token"
    file.write_text(f"{TOKEN}\nanother-token\n")
    assert served.send(payload(), "another-token").status == 200
    assert served.send(payload()).status == 200
    file.chmod(0o644)
    assert served.send(payload()).status == 503
    file.chmod(0o600)
    assert served.send(payload()).status == 200


def test_a_flood_is_asked_to_come_again(served: Serving) -> None:
    """Without a word lost: what was refused is taken once there is room; the server's memory has a bound."""
    refused = None
    for number in range(8):
        alerts = [firing("Flood", begin=f"{number}.{each}") for each in range(200)]
        reply = served.send(payload(*alerts))
        if reply.status != 200:
            refused = reply
            break
    assert refused is not None
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0


def test_at_its_end_the_journal_has_what_was_refused(served: Serving) -> None:
    """Each kind with how many they were, as many as Prometheus was told; what was left out, too; no token anywhere."""
    for body, *_ in REFUSALS:
        served.send(body)
    served.send(payload(), "a-wrong-token")
    assert served.send(payload(LEAK, truncatedAlerts=7)).status == 200
    counted = served.metrics()
    assert served.stop() == ExitCode.TERMINATED
    by_kind: dict[str, int] = {}
    for each in served.details("webhook.refused"):
        by_kind[each["kind"]] = by_kind.get(each["kind"], 0) + each["count"]
    assert {"unknown sender", "malformed", "wrong version", "too many alerts", "cut short"} <= set(by_kind)
    (cut,) = [each for each in served.details("webhook.refused") if each["kind"] == "cut short"]
    assert cut["example"].startswith("7 alerts were left out by Alertmanager")
    assert cut["example"] in served.log.read_text()
    for kind, count in by_kind.items():
        assert counted[f'engram_runbook_webhook_requests_total{{outcome="{kind}"}}'] == count
    assert len(served.journal("webhook.refused")) <= 2 * len(by_kind)
    for file in (served.state / "journal.jsonl", served.log, served.log.with_suffix(".out")):
        assert TOKEN.encode() not in file.read_bytes()
    assert json.loads((served.log.with_suffix(".out")).read_text())["data"]["webhook"] is True
