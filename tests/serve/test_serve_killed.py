"""kill -9 between any two entries: what was received is diagnosed once; a journal that takes nothing loses nothing."""

import resource
from pathlib import Path

from peers import closed_port
from running_node import wait_until
from serving import configured, firing, inventory_of, payload, serving

from runbook.errors import ExitCode


def test_what_was_received_is_diagnosed_after_the_restart(tmp_path: Path) -> None:
    """Once; the end of an alert, and what was answered before, start nothing. An inventory that is gone is told."""
    inventory = tmp_path / "gone.yml"
    alerts = [firing("MemoryLeak"), firing("Other"), firing("Ended", status="resolved")]
    with serving(tmp_path, configured(tmp_path / "config", inventory, serve='settle = "10m"')) as first:
        wait_until(lambda: first.send(payload()).status == 200, "the webhook did not get ready")
        assert first.send(payload(*alerts)).json == {"taken": 3}
        first.kill()
    assert first.details("alert.diagnosed") == []
    with serving(tmp_path, configured(tmp_path / "config", inventory, serve='settle = "0s"')) as second:
        wait_until(lambda: second.details("alert.diagnosed"), "it was not taken up")
        assert second.send(payload(*alerts)).json == {"taken": 0}
        (diagnosed,) = second.details("alert.diagnosed")
        assert (diagnosed["code"], diagnosed["names"]) == (ExitCode.DAMAGED, ["MemoryLeak", "Other"])
        assert "gone.yml" in diagnosed["why"]
        assert second.stop() == ExitCode.TERMINATED
    with serving(tmp_path, configured(tmp_path / "config", inventory, serve='settle = "0s"')) as third:
        assert wait_until(lambda: third.send(payload(*alerts)).status == 200, "it did not get ready")
        assert third.stop() == ExitCode.TERMINATED
    assert len(third.details("alert.received")) == 3
    assert len(third.details("alert.diagnosed")) == 1
    assert third.details("alert.acted") == []


def test_a_journal_that_takes_nothing_makes_alertmanager_come_again(tmp_path: Path) -> None:
    """503 while the disk refuses, 200 and one entry once it does not; nothing was answered that was not kept."""
    inventory = inventory_of(tmp_path, f"http://127.0.0.1:{closed_port()}")
    config = configured(tmp_path / "config", inventory, serve='settle = "10m"')
    with serving(tmp_path, config) as served:
        wait_until(lambda: served.send(payload()).status == 200, "the webhook did not get ready")
        assert served.send(payload(firing("First"))).status == 200
        size = (served.state / "journal.jsonl").stat().st_size
        _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (size, -1))
        refused = served.send(payload(firing("Second")))
        assert (refused.status, "journaled" in refused.json["error"]) == (503, True)
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert served.send(payload(firing("Second"))).json == {"taken": 1}
        assert [each["name"] for each in served.details("alert.received")] == ["First", "Second"]
        assert "send them again" in served.log.read_text()


def test_a_configuration_that_does_not_read_any_more_loses_nothing(tmp_path: Path) -> None:
    """Alertmanager comes again; what the journal knows is told; a diagnosis is told why, and asks no other fleet."""
    config = configured(tmp_path / "config", tmp_path / "gone.yml", serve='settle = "6s"')
    whole = config.read_text()
    with serving(tmp_path, config) as served:
        wait_until(lambda: served.send(payload()).status == 200, "the webhook did not get ready")
        assert served.send(payload(firing("First"))).json == {"taken": 1}
        config.write_text(f"{whole}[targets")
        assert served.send(payload(firing("Second"))).status == 503
        assert served.metrics()["engram_runbook_journal_sound"] == 1
        (found,) = wait_until(lambda: served.details("alert.diagnosed"), "it was not diagnosed")
        assert (found["code"], "runbook.toml" in found["why"]) == (ExitCode.DAMAGED, True)
        config.write_text(whole)
        assert served.send(payload(firing("Second"))).json == {"taken": 1}


def test_a_damaged_journal_takes_no_alert_until_another_one_is_begun(tmp_path: Path) -> None:
    """503 and a metric that says it; the pages answer."""
    config = configured(tmp_path / "config", tmp_path / "gone.yml", serve='settle = "10m"')
    (tmp_path / "state").mkdir(mode=0o700)
    journal = tmp_path / "state" / "journal.jsonl"
    journal.write_text("garbage\n")
    with serving(tmp_path, config) as served:
        wait_until(lambda: b"damaged" in served.send(payload()).body, "the damage was not found")
        assert served.send(payload(firing("First"))).status == 503
        assert served.metrics()["engram_runbook_journal_sound"] == 0
        assert served.ask("GET", "/").status == 200
        journal.unlink()
        wait_until(lambda: served.send(payload()).status == 200, "it did not get ready")
        assert served.send(payload(firing("First"))).json == {"taken": 1}
