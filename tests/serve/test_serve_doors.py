"""What every request to the server passes, and what every answer takes along."""

import re
import socket
from pathlib import Path

import pytest
from running_node import wait_until
from serving import Serving, serving

from runbook.cli.root import run
from runbook.errors import ExitCode
from runbook.model.served import ALL

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "server.md"


@pytest.mark.parametrize("path", ["/health", "/metrics", "/", "/there-is-none", "/api/v1/alerts"])
def test_every_answer_keeps_a_browser_from_doing_more_than_showing_it(served: Serving, path: str) -> None:
    """Whatever its status is; and nobody is told what serves."""
    headers = served.ask("GET", path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_who_asks_for_another_name_is_turned_away(served: Serving, name: str) -> None:
    """A page whose name was made to point here sends that name."""
    assert served.ask("GET", "/metrics", headers={"Host": name}).status == 421


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:1234", "127.0.0.1", "[::1]:80", "10.1.2.3:8787"])
def test_addresses_and_the_local_name_are_known(served: Serving, name: str) -> None:
    """An address cannot be made to point elsewhere."""
    assert served.ask("GET", "/health", headers={"Host": name}).status == 200


def test_two_names_are_none(served: Serving) -> None:
    """Whoever stands between could have looked at the other one."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n")
        assert connection.recv(100).split()[1] in {b"400", b"421"}


def test_other_methods_are_refused(served: Serving) -> None:
    """Nothing is changed over this server."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert served.ask(method, "/health", b"").status == 405
        assert served.ask(method, "/metrics", b"").status == 405
    assert served.ask("GET", "/api/v1/alerts").status in {404, 405}


def test_prometheus_is_told_what_the_reference_says(served: Serving) -> None:
    """Each metric of the contract stands on the page with its labels, and no other; none but these is exported."""
    table = PAGE.read_text().partition("## Metrics")[2]
    found = re.findall(r"^\| `(\w+)` \|(.*?)\|", table, re.MULTILINE)
    rows = {name: re.findall(r"`(\w+)`", labels) for name, labels in found}
    assert rows == {each.full_name: list(each.labels) for each in ALL}
    told = served.metrics()
    assert told['engram_runbook_rollout_under_way{target="prod"}'] == 0
    assert told['engram_runbook_runs_open{target="prod"}'] == 0
    assert {name.partition("{")[0] for name in told} <= set(rows)


def test_a_taken_port_is_said(served: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    """With its exit code, and what to do."""
    assert run(["serve", "--port", str(served.port)]) == ExitCode.UNREACHABLE
    assert "--port" in capsys.readouterr().err
    assert run(["serve", "--host", "no address", "--port", "0"]) == ExitCode.USAGE


def test_a_broken_source_takes_no_other_down(served: Serving) -> None:
    """A baseline and a sign of life that do not read: their own metrics are absent, all others are there."""
    for name in ("baselines", "watch"):
        (served.state / name).mkdir(parents=True)
        (served.state / name / "prod.json").write_text("{")
    told = served.metrics()
    assert told["engram_runbook_journal_sound"] == 1
    assert not [name for name in told if name.startswith(("engram_runbook_watch", "engram_runbook_baseline"))]


def test_a_second_server_shows_and_takes_over(served: Serving, tmp_path: Path) -> None:
    """Two on one state folder: one takes alerts, the other says that it does not, until the first one ends."""
    config = served.log.parent / "runbook.toml"
    with serving(tmp_path, config, state=served.state) as second:
        assert second.ask("GET", "/health").status == 200
        refused = wait_until(lambda: _refusal(second), "the second one did not find the lock taken")
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) > 0
        assert served.stop() == ExitCode.TERMINATED
        wait_until(lambda: second.send({"alerts": []}).status == 200, "the second one did not take over")


def _refusal(second: Serving) -> object:
    reply = second.send({"alerts": []})
    return reply if b"another serve" in reply.body else None
