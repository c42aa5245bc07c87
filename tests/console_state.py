"""A state folder for the console: a rollout that was really rolled back, and beside it all that a page can show.

`tests/serve/console/rollout.jsonl` was journaled by a rehearsal on the sandbox (docs/examples/rehearsal.yml) into which
a latency fault was injected; only names and paths were changed since.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from journal_maker import make_journal

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.model.heartbeat import Heartbeat
from runbook.model.journal import Entry, Event

ROLLED_BACK = "20261127T153917-8797"
UNDER_WAY = "20261127T160000-beef"
NEEDS_A_PERSON = "20261127T154500-dead"
WAITS = "20261127T154600-face"
EVIL = (
    "<script>document.title='owned'</script>\"'><img src=x onerror=\"document.title='owned'\"> \x1b[2J\u202eevil\u2066 "
)
LONG = "w" * 10_000
_KEY = "dual_memory.semantic_weight"
_RECORDED = Path(__file__).parent / "serve" / "console" / "rollout.jsonl"


def make_state(folder: Path) -> Path:
    """The folder, with its journal, and the sign of life of a watch that fell silent."""
    entries = list(entries_of_everything())
    make_journal(folder, iter(entries))
    sign = Heartbeat(
        target="production",
        rollout=UNDER_WAY,
        phase="shadow",
        stage="shadow",
        standing="running",
        share=0.0,
        every=timedelta(minutes=1),
        seen=entries[-1].at - timedelta(hours=2),
        process=1,
        machine="bastion",
        looks=7,
        told=f"shadow: triggers 0 YES, 3 NO {EVIL}",
        code=0,
    )
    FileHeartbeats(folder).beat(sign)
    return folder


def entries_of_everything() -> Iterator[Entry]:
    """What was recorded, and then everything else."""
    lines = [json.loads(line) for line in _RECORDED.read_text().splitlines()]
    seq = 0
    for seq, line in enumerate(lines, 1):
        at = datetime.fromisoformat(line["at"])
        yield Entry(seq, at, Event(line["event"]), line["run"], line["who"], line["where"], line["details"])
    began = datetime.fromisoformat(lines[-1]["at"])
    plan = next(line for line in lines if line["event"] == Event.ROLLOUT_STARTED)["details"]["plan"]
    for number, (event, run, details) in enumerate(_more(plan), 1):
        at = (began + timedelta(minutes=number)).astimezone(UTC)
        yield Entry(seq + number, at, event, run, f"boris{EVIL}", f"bastion{EVIL}", details)


def _more(plan: dict[str, Any]) -> Iterator[tuple[Event, str, dict[str, Any]]]:
    """A rollout that nobody watches, a run that needs a person, one that waits, alerts; all with hostile words."""
    started = {"target": "production", "environment": "production", "reason": EVIL, "plan": plan, "digest": "d" * 64}
    yield Event.ROLLOUT_STARTED, UNDER_WAY, started
    yield Event.ROLLOUT_ENTERED, UNDER_WAY, {"stage": 0, "name": "shadow", "run": "20261127T160001-cafe"}
    yield Event.ROLLOUT_APPROVED, UNDER_WAY, {"digest": "d" * 64, "phase": None, "reason": EVIL}
    yield Event.ROLLOUT_NOTED, UNDER_WAY, {"stage": 0, "name": "shadow", "complaints": 2, "text": EVIL + LONG}
    yield Event.ROLLOUT_HELD, UNDER_WAY, {"stage": 0, "name": "shadow", "why": EVIL, "by": "a person"}
    yield Event.RUN_STARTED, NEEDS_A_PERSON, {"plan": _plan(NEEDS_A_PERSON)}
    yield Event.STEP_INTENT, NEEDS_A_PERSON, {"step": 1, "mark": "m"}
    hosts = [{"host": f"node-1{EVIL}", "state": "failed", "old": 0.1, "read_back": None, "message": EVIL + LONG}]
    yield Event.STEP_OUTCOME, NEEDS_A_PERSON, {"step": 1, "done": False, "hosts": hosts}
    yield Event.RUN_ENDED, NEEDS_A_PERSON, {"status": "person needed", "exit_code": 15}
    asked = {"plan": _plan(WAITS), "risk": "disruptive", "why": [EVIL], "seconds": 3600.0}
    yield Event.APPROVAL_ASKED, WAITS, asked
    alert = {"id": "a" * 32, "name": EVIL, "firing": True, "target": "production", "labels": {EVIL: EVIL, "long": LONG}}
    yield Event.ALERT_RECEIVED, "", alert
    answers = {"high-formation-rate": "YES", "memory-leak": "UNKNOWN", "poor-recall-quality": "NO", EVIL: EVIL}
    yield Event.ALERT_DIAGNOSED, "", {"target": "production", "names": [EVIL], "code": 3, "answers": answers, "why": ""}
    acted = {"target": "production", "issue": "high-formation-rate", "state": "left", "why": EVIL}
    yield Event.ALERT_ACTED, "", acted
    yield Event.WEBHOOK_REFUSED, "", {"why": EVIL, "count": 12}
    checks = {"latency": "FAIL", EVIL: EVIL, "memory": "PASS"}
    validated = {"target": "production", "recommendation": "roll back", "because": EVIL, "checks": checks}
    validated |= {"nodes": [EVIL], "whole": True, "seconds": 60.0, "arithmetic": [f"latency FAIL: {EVIL}{LONG}", 7]}
    yield Event.VALIDATED, "", validated


def _plan(run: str) -> dict[str, Any]:
    changes = [{"node": f"node-1{EVIL}", "key": _KEY, "old": 0.1, "new": 0.3}]
    step = {"index": 1, "title": EVIL + LONG, "do": "set_config", "undo": "restore_config", "key": _KEY}
    told = {"id": run, "command": f"config set {EVIL}", "issue": "", "target": "production", "reason": EVIL}
    return told | {"steps": [step | {"changes": changes}]}
