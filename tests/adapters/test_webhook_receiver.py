"""A receiver over real sockets: what is sent, what each answer means, and that no secret is ever said."""

import ssl
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from peers import Answer, Peer, Request, dripping, endless, hang, http, reset

from runbook.adapters.notify import Webhook
from runbook.errors import DamagedError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Kind, Later, Message, Refused, Sent, Severity
from runbook.wire import Wire

SECRETS = ("sEcReTpAtH", "tOkEnOfOuRs", "kEyOfOuRs", "hEaDeRvAlUe")
AT = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
MESSAGE = Message(
    seq=7,
    at=AT,
    event="rollout.held",
    kinds=frozenset({Kind.PHASE, Kind.PERSON}),
    severity=Severity.WARNING,
    trouble=True,
    title="prod: held",
    text="why",
    target="prod",
    subject="r1",
    who="ann",
    where="bastion",
)


def private(path: Path, text: str) -> Path:
    """A file that only its owner reads."""
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def receiver(tmp_path: Path, url: str, seconds: float = 0.4, **said: Any) -> Webhook:
    """One with every kind of secret; impatient, so that the tests are not slow."""
    path, token, key, header = SECRETS
    settings = ReceiverSettings(
        "team",
        url_file=private(tmp_path / "url", f"{url}/services/{path}"),
        token_file=private(tmp_path / "token", token),
        key_file=private(tmp_path / "key", key),
        header_files={"X-Own": private(tmp_path / "header", header)},
        **said,
    )
    wire = Wire(connect=1.0, read=seconds / 2, total=seconds, limit_bytes=1 << 16)
    return Webhook(settings, lambda message, secret: f'"{message.title} {secret}"'.encode(), wire)


def test_a_message_is_one_post_with_its_secrets(tmp_path: Path) -> None:
    """Sent twice it carries the same key, by which a receiver can tell."""
    with Peer(lambda _: http("ok")) as peer:
        team = receiver(tmp_path, peer.url)
        assert [team.send(MESSAGE), team.send(MESSAGE)] == [Sent(200), Sent(200)]
        first, second = peer.asked("POST", "/services/sEcReTpAtH")
        assert first.json == "prod: held kEyOfOuRs"
        assert first.headers["authorization"] == "Bearer tOkEnOfOuRs"
        assert (first.headers["x-own"], first.headers["content-type"]) == ("hEaDeRvAlUe", "application/json")
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "bastion-7"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("202 Accepted", Sent(202)),
        ("204 No Content", Sent(204)),
        ("301 Moved", Refused("answered 301, a redirect, which is not followed")),
        ("400 Bad Request", Refused("answered 400")),
        ("401 Unauthorized", Refused("answered 401")),
        ("404 Not Found", Refused("answered 404")),
        ("410 Gone", Refused("answered 410")),
        ("408 Timeout", Later("answered 408")),
        ("429 Too Many", Later("answered 429")),
        ("500 Oops", Later("answered 500")),
        ("503 Busy", Later("answered 503")),
    ],
)
def test_what_an_answer_means(tmp_path: Path, status: str, outcome: object) -> None:
    """Its body is never said: it may hold what was sent."""

    def echo(request: Request) -> bytes:
        return http(request.body + request.path.encode(), status, Location=f"http://127.0.0.1:1{request.path}")

    with Peer(echo) as peer:
        assert receiver(tmp_path, peer.url).send(MESSAGE) == outcome
        assert len(peer.requests) == 1


@pytest.mark.parametrize(("value", "after"), [("17", 17.0), ("-1", None), ("1e9", None), ("Wed, 21 Oct 2026", None)])
def test_retry_after_is_obeyed_where_it_is_seconds(tmp_path: Path, value: str, after: float | None) -> None:
    """A date would need clocks that agree."""
    with Peer(lambda _: http("", "503 Busy", Retry_After=value)) as peer:
        assert receiver(tmp_path, peer.url).send(MESSAGE) == Later("answered 503", after)


@pytest.mark.parametrize(
    "answer",
    [hang, reset, endless, dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), dripping(b"HTTP/1.1 2", b"0"), b"SSH-2\r\n"],
)
def test_a_broken_receiver_is_bounded_and_tried_again(tmp_path: Path, answer: Answer) -> None:
    """Whatever it does, no secret is in what is said of it."""
    with Peer(lambda _: answer) as peer:
        outcome = receiver(tmp_path, peer.url).send(MESSAGE)
    assert isinstance(outcome, Later)
    assert not any(secret in outcome.why for secret in SECRETS)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    """Nothing is sent: the connection ends before the request."""
    files = (tmp_path / "c.pem", tmp_path / "k.pem")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [*new, *made, "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with Peer(lambda _: http("ok"), tls=context) as peer:
        outcome = receiver(tmp_path, peer.url, 30.0).send(MESSAGE)
        assert isinstance(outcome, Later)
        assert "TLS failed" in outcome.why
        assert peer.requests == []


def test_nothing_goes_over_plain_http_to_another_machine(tmp_path: Path) -> None:
    """Unless the configuration says so; and then it is tried."""
    refused = receiver(tmp_path, "http://192.0.2.1").send(MESSAGE)
    assert isinstance(refused, Later)
    assert "plain http to another machine" in refused.why
    assert "192.0.2.1" not in refused.why


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1", "http://", "http:// x", "http://[::1", "http://127.0.0.1:x"])
def test_a_url_that_is_none_is_said_without_it(tmp_path: Path, url: str) -> None:
    """The words of a library would repeat it."""
    outcome = receiver(tmp_path, url).send(MESSAGE)
    assert isinstance(outcome, Later)
    assert "sEcReTpAtH" not in outcome.why


def test_a_file_that_others_read_is_not_used(tmp_path: Path) -> None:
    """Nor one that is missing; whoever mends it within the hour is told still."""
    with Peer(lambda _: http("ok")) as peer:
        team = receiver(tmp_path, peer.url)
        (tmp_path / "key").chmod(0o644)
        assert team.send(MESSAGE) == Later(f"the key_file {tmp_path}/key can be read by others")
        (tmp_path / "key").unlink()
        assert isinstance(team.send(MESSAGE), Later)
        private(tmp_path / "key", "kEyOfOuRs")
        assert team.send(MESSAGE) == Sent(200)


def test_a_template_that_fails_sends_nothing(tmp_path: Path) -> None:
    """And says which."""

    def render(*_: object) -> bytes:
        raise DamagedError("the template x is no JSON")

    with Peer(lambda _: http("ok")) as peer:
        team = Webhook(ReceiverSettings("team", url=peer.url), render)
        assert team.send(MESSAGE) == Later("the template x is no JSON")
        assert peer.requests == []


def test_who_wants_what() -> None:
    """By class and by target; what has no known target is for everybody."""
    settings = ReceiverSettings("team", url="http://127.0.0.1", events=(Kind.PERSON,), targets=("prod",))
    team = Webhook(settings, lambda *_: b"")
    assert team.wants(MESSAGE)
    assert team.wants(replace(MESSAGE, target=""))
    assert not team.wants(replace(MESSAGE, target="other"))
    assert not team.wants(replace(MESSAGE, kinds=frozenset({Kind.PHASE})))
