"""A real Alertmanager calls: with the token of its file, again and again, and with the end of an alert."""

import shutil
import subprocess
from pathlib import Path

from alertmanager_server import alertmanager
from running_node import wait_until
from serving import TOKEN, Serving, configured, serving

ACCEPTED = 'engram_runbook_webhook_requests_total{outcome="accepted"}'


def receiver(served: Serving, credentials: Path) -> dict[str, object]:
    """Its configuration, as docs/how-to/answer-alerts.md has it; it repeats itself once a second."""
    authorization = {"type": "Bearer", "credentials_file": str(credentials)}
    webhook = {
        "url": f"{served.said['url']}/api/v1/alerts",
        "send_resolved": True,
        "max_alerts": 200,
        "http_config": {"authorization": authorization},
    }
    often = {"group_wait": "10ms", "group_interval": "1s", "repeat_interval": "1s"}
    return {"route": {"receiver": "r", **often}, "receivers": [{"name": "r", "webhook_configs": [webhook]}]}


def test_what_alertmanager_repeats_is_taken_once(tmp_path: Path) -> None:
    """One firing and one end, however often it calls; with a wrong token nothing."""
    credentials = tmp_path / "credentials"
    credentials.write_text("a-wrong-token")
    (tmp_path / "am").mkdir()
    with serving(tmp_path, configured(tmp_path / "config", tmp_path / "gone.yml", serve='settle = "10m"')) as served:
        wait_until(lambda: served.send({"alerts": []}).status == 200, "the webhook did not get ready")
        before = served.metrics()[ACCEPTED]
        with alertmanager(tmp_path / "am", receiver(served, credentials)) as url:

            def add(*more: str) -> None:
                command = [str(shutil.which("amtool")), "alert", "add", f"--alertmanager.url={url}", *more]
                subprocess.run([*command, "MemoryLeak", "engram_target=prod"], check=True, timeout=20)

            add("--start=2026-01-01T00:00:00Z")
            refused = 'engram_runbook_webhook_requests_total{outcome="unknown sender"}'
            wait_until(lambda: served.metrics()[refused] > 0, "it did not call")
            credentials.write_text(TOKEN)
            wait_until(lambda: served.metrics()[ACCEPTED] >= before + 2, "it did not repeat itself", 60)
            add("--start=2026-01-01T00:00:00Z", "--end=2026-01-01T00:00:01Z")
            wait_until(lambda: len(served.details("alert.received")) > 1, "it did not tell the end", 60)
        found = [(each["name"], each["firing"], each["target"]) for each in served.details("alert.received")]
        assert found == [("MemoryLeak", True, "prod"), ("MemoryLeak", False, "prod")]
        assert len({each["id"] for each in served.details("alert.received")}) == 1
