"""Long journals quickly: real lines with a valid chain under a real seal, without waiting for a disk at each."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runbook.adapters.journal.head import EMPTY, Head, sealed
from runbook.adapters.journal.line import written
from runbook.model.journal import Entry, Event

KEY = b"k" * 32
_BEGAN = datetime(2026, 9, 1, 8, tzinfo=UTC)
_KEY = "dual_memory.concept_sample_rate"
_NODES = ("node-1", "node-2", "node-3")


def make_journal(folder: Path, entries: Iterator[Entry]) -> Head:
    """Write them as a journal, with head, key and lock as an append would leave them; where it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    end = EMPTY
    with (folder / "journal.jsonl").open("wb") as file:
        for entry in entries:
            line = written(entry, end.hash)
            file.write(line.raw)
            end = Head(line.seq, end.size + len(line.raw), line.hash)
    (folder / "journal.head").write_bytes(sealed(end, KEY))
    (folder / "journal.key").write_bytes(KEY)
    (folder / "journal.lock").touch()
    for path in folder.iterdir():
        path.chmod(0o600)
    return end


def many(count: int, first: int = 1) -> Iterator[Entry]:
    """That many entries, numbered from `first` on: runs of a few entries each, and checks of a rollout between them."""
    told = (each for number in range(count) for each in _run_and_checks(number))
    for seq, (event, run, details) in zip(range(first, first + count), told, strict=False):
        yield Entry(seq, _BEGAN + timedelta(seconds=seq), event, run, "anna", "bastion", details)


def _run_and_checks(number: int) -> Iterator[tuple[Event, str, dict[str, Any]]]:
    run = f"20260901T080000-{number:06x}"
    changes = [{"node": node, "key": _KEY, "old": 0.1, "new": 0.05} for node in _NODES]
    step = {"index": 1, "title": "Sample fewer concepts", "do": "set_config", "undo": "restore_config", "key": _KEY}
    plan = {"id": run, "command": "high-formation-rate", "issue": "high-formation-rate", "target": "production"}
    plan |= {"reason": f"alert {number}", "steps": [step | {"changes": changes}]}
    hosts = [{"host": node, "state": "changed", "old": 0.1, "read_back": 0.05, "message": ""} for node in _NODES]
    yield Event.RUN_STARTED, run, {"plan": plan}
    yield Event.STEP_INTENT, run, {"step": 1, "mark": f"{run}.1"}
    yield Event.STEP_OUTCOME, run, {"step": 1, "done": True, "hosts": hosts}
    if number % 100:
        yield Event.RUN_ENDED, run, {"status": "recovered", "exit_code": 0}
    answers = [{"title": "Recalls fail", "answer": "NO", "arithmetic": f"{node}: 0 %"} for node in _NODES]
    for _ in range(5):
        yield Event.ROLLOUT_CHECKED, "20260901T000000-aaaa", {"stage": 2, "name": "canary", "answers": answers}
