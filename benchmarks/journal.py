"""What one journal entry costs, beside a bare write and fdatasync of the same bytes.

An append is a line, fdatasync and the sealed head. Both are measured in one run, in turns, on the same disk.
Goal: p99 of an append <= 1 ms.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event

APPENDS = 3000
WARM_UP = 100
DETAILS = {
    "step": 2,
    "title": "Sample fewer concepts",
    "playbook": "set_config",
    "key": "dual_memory.concept_sample_rate",
    "values": {f"node-{number}": 0.05 for number in range(10)},
    "old": {f"node-{number}": 0.1 for number in range(10)},
}


def milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def measured(folder: Path, journal: FileJournal) -> tuple[list[float], list[float]]:
    journal.append(Event.STEP_INTENT, "run", DETAILS)
    line = (folder / "journal.jsonl").read_bytes()
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    append_ms, bare_ms = [], []
    for _ in range(WARM_UP + APPENDS):
        append_ms.append(milliseconds(lambda: journal.append(Event.STEP_INTENT, "run", DETAILS)))
        bare_ms.append(milliseconds(lambda: (os.write(bare, line), os.fdatasync(bare))))
    os.close(bare)
    return append_ms[WARM_UP:], bare_ms[WARM_UP:]


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        journal = FileJournal(folder, SystemClock(), "benchmark", "here")
        append_ms, bare_ms = measured(folder, journal)
        verify_ms = milliseconds(journal.verify)
        size = (folder / "journal.jsonl").stat().st_size
    print(f"{APPENDS} appends in turns with bare writes of the same {size // (WARM_UP + APPENDS + 1)} bytes, ms")
    print(f"{'':14}{'p50':>8}{'p99':>8}{'max':>8}")
    for name, taken in (("append", append_ms), ("bare write", bare_ms)):
        cut = statistics.quantiles(taken, n=100)
        print(f"{name:14}{cut[49]:8.3f}{cut[98]:8.3f}{max(taken):8.3f}")
    append, bare = statistics.quantiles(append_ms, n=100), statistics.quantiles(bare_ms, n=100)
    print(f"{'ratio':14}{append[49] / bare[49]:8.2f}{append[98] / bare[98]:8.2f}")
    print(f"verify: {size / verify_ms / 1000:.0f} MB/s, {(WARM_UP + APPENDS + 1) / verify_ms:.0f} entries/ms")


if __name__ == "__main__":
    main()
