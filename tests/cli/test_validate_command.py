"""`runbook validate` where there is nobody to ask, or nothing to read: an error or UNKNOWN, never a pass."""

from pathlib import Path

import pytest
from command_line import Output, document
from peers import Peer, closed_port, http

from runbook.cli.root import run

SHORT = ("--window", "1s")
EMPTY = http(b'{"status":"success","data":{"resultType":"matrix","result":[]}}')


def with_prometheus(target: Path, url: str) -> None:
    """The target's metrics come from there."""
    path = target / "runbook.toml"
    path.write_text(path.read_text().replace('inventory = "prod.yml"', f'inventory = "prod.yml"\nprometheus = "{url}"'))


@pytest.mark.usefixtures("target")
def test_a_fleet_that_does_not_answer_is_unreachable(capsys: Output) -> None:
    """10, and neither a report nor an entry in the journal."""
    assert run(["validate", "--target", "gone", *SHORT]) == 10
    assert capsys.readouterr().out == ""
    assert document(capsys, "audit", "show")["data"]["entries"] == []


def test_a_prometheus_that_is_down_is_unreachable(target: Path, capsys: Output) -> None:
    """10: nothing was measured, so nothing is judged."""
    with_prometheus(target, f"http://127.0.0.1:{closed_port()}")
    assert run(["validate", *SHORT]) == 10
    assert "Prometheus" in capsys.readouterr().err


def test_a_prometheus_that_is_empty_passes_nothing(target: Path, capsys: Output) -> None:
    """It answers, and has no series of any node: nobody is known to be well."""
    with Peer(lambda _: EMPTY) as peer:
        with_prometheus(target, peer.url)
        assert run(["validate", *SHORT]) in {4, 10}
    assert "PASS" not in capsys.readouterr().out


@pytest.mark.usefixtures("target")
def test_a_node_that_is_not_there_is_named(capsys: Output) -> None:
    """2, with those that there are."""
    assert run(["validate", "--node", "nobody", *SHORT]) == 2
    assert "prod-1" in capsys.readouterr().err
