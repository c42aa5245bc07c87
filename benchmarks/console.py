"""What a page of the console costs on a journal of a million entries, beside the same page on ten thousand.

Each line is read once, in the background; after that a page reads its own lines only, so the ratio is about that of what
the page shows. Goal: no page takes 200 ms after the first reading. Usage: console.py [ENTRIES]
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from asking import ask
from console_state import NEEDS_A_PERSON, ROLLED_BACK, entries_of_everything
from journal_maker import make_journal, many
from starlette.types import ASGIApp

from runbook.adapters.clock import SystemClock
from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.journal.following import Follower
from runbook.serve.app import Parts, application
from runbook.serve.console.routes import routes
from runbook.serve.console.source import Source

GOAL_MS = 200.0
ROUNDS = 15
FEW, MANY = 10_000, 1_000_000
PAGES = (
    "/",
    "/rollout",
    f"/rollout/{ROLLED_BACK}",
    "/validator",
    "/runs",
    "/runs?below=500",
    "/runs?show=unsettled",
    "/runs?target=sandbox",
    f"/runs/{NEEDS_A_PERSON}",
    "/journal",
    "/journal?below=5000",
    "/journal?event=rollout.checked",
    f"/journal?run={ROLLED_BACK}",
    "/journal?run=20260901T000000-aaaa&event=run.ended",
    "/journal/5000",
    "/alerts",
)


def milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def console(folder: Path, count: int) -> ASGIApp:
    known = list(entries_of_everything())
    make_journal(folder, chain(known, many(count - len(known), len(known) + 1)))
    follower = Follower(folder, SystemClock())
    took = milliseconds(follower.catch_up) / 1000
    size = (folder / "journal.jsonl").stat().st_size / 1e6
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} entries, {size:.0f} MB: first reading {took:.1f} s, {count / took:.0f} entries/s; {resident:.0f} MB held"
    )
    return application(Parts(routes(Source(follower, FileHeartbeats(folder), SystemClock(), dict))))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as place:
        few, every = console(Path(place) / "few", FEW), console(Path(place) / "many", count)
        print(f"{'median (slowest) ms':<52} {FEW:>10} {count:>18} ratio")
        slowest = 0.0
        for page in PAGES:
            ask(few, page), ask(every, page)  # templates are compiled once
            turns = [
                (milliseconds(lambda: ask(few, page)), milliseconds(lambda: ask(every, page))) for _ in range(ROUNDS)
            ]
            one, other = (list(each) for each in zip(*turns, strict=True))
            slowest = max(slowest, *other)
            ratio = statistics.median(other) / statistics.median(one)
            told = f"{statistics.median(other):.1f} ({max(other):.1f})"
            print(f"{page:<52} {statistics.median(one):>10.1f} {told:>18} {ratio:>5.1f}")
    print(f"slowest answer {slowest:.0f} ms, goal {GOAL_MS:.0f} ms")
    return int(slowest > GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
