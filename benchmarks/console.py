"""What a page of the console costs on a journal of a million entries, beside the same page on ten thousand.

Each line is read once, in the background; after that a page reads its own lines only, so it costs about as much in
both. Goal: no page takes 200 ms after the first reading, by its median; the slowest answer is told, too.

Usage: console.py [ENTRIES]
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


def answers(app: ASGIApp, page: str) -> float:
    return milliseconds(lambda: ask(app, page))


def console(folder: Path, count: int) -> ASGIApp:
    known = list(entries_of_everything())
    make_journal(folder, chain(known, many(count - len(known), len(known) + 1)))
    follower = Follower(folder, SystemClock())
    took = milliseconds(follower.catch_up) / 1000
    size = (folder / "journal.jsonl").stat().st_size / 1e6
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} entries, {size:.0f} MB: first reading {took:.1f} s, {resident:.0f} MB held")
    return application(Parts(routes(Source(follower, FileHeartbeats(folder), SystemClock(), dict))))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as place:
        few, every = console(Path(place) / "few", FEW), console(Path(place) / "many", count)
        print(f"{'median (slowest) ms':<52} {FEW:>10} {count:>18} ratio")
        worst = 0.0
        for page in PAGES:
            answers(few, page), answers(every, page)  # templates are compiled once
            turns = [(answers(few, page), answers(every, page)) for _ in range(ROUNDS)]
            one, other = (list(each) for each in zip(*turns, strict=True))
            usual = statistics.median(other)
            worst = max(worst, usual)
            told, ratio = f"{usual:.1f} ({max(other):.1f})", usual / statistics.median(one)
            print(f"{page:<52} {statistics.median(one):>10.1f} {told:>18} {ratio:>5.1f}")
    print(f"the slowest page takes {worst:.0f} ms, goal {GOAL_MS:.0f} ms")
    return int(worst > GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
