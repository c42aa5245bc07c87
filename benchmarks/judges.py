"""Which judge of a canary can be trusted? The usual rules and ours on one simulated fleet whose truth is known.

python benchmarks/judges.py [--runs 2000] [--spaces 60] [--json]

60 canary and 60 control spaces, one week before and two weeks after, 20 requests a space and hour. Printed is the share
of the runs that roll back, and the median hour at which (where half of them do). The seeds are fixed: the same runs
every time. Exit 1 when ours is out of its limits; with fewer than 2000 runs two standard errors are allowed.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence

from judging.fleet import Fleet
from judging.limits import Limit
from judging.ours import BETTER, DRAWS, HARM, PROVED_BY_DRAWS, SAFE, SEEN, SEQUENCE, WORSE, alone, decided, together
from judging.trials import Hours, hours
from judging.usual import RULES, usual

from runbook.statistics.sequence import FEWEST

TRUTHS = (0.0, 0.05, 0.10, 0.15, 0.20)
MARGIN = 0.10
PROMISED = 60  # spaces an arm from which on +5 % has to be seen
FEW = (5, 10, 30)  # from 30 on (A) is asked, too
FEW_TRUTHS = (0.0, 0.05, 0.10, 0.20, 0.50)


def cell(found: Hours, event: str, truth: float) -> str:
    middle = found.median(event, truth)
    return f"{found.share(event, truth):6.1%} {f'{middle:4.0f} h' if math.isfinite(middle) else '      '}"


def table(title: str, found: Hours, events: Sequence[str], truths: Sequence[float]) -> Iterator[str]:
    yield f"{title:68}" + "".join(f"{f'{truth:+.0%}' if truth else 'no change':>15}" for truth in truths)
    for event in events:
        yield f"{event:68}" + "".join(f"{cell(found, event, truth):>15}" for truth in truths)
    yield ""


def limits(large: Hours, few: dict[int, Hours], spaces: int) -> Iterator[Limit]:
    """What issue 5 asks of ours. The product is both methods together; its verdict rolls back or promotes.

    (B) alone errs in exactly 5 % of all cases, and so does ours where it decides alone.
    """
    size = f"{spaces}+{spaces} spaces"
    for event in (SEQUENCE, DRAWS, SEEN, HARM):
        yield Limit(f"{size}, no change: {event}", large.share(event, 0.0), 0.05, large.runs)
    for event in (SEQUENCE, DRAWS, SEEN) if spaces >= PROMISED else ():
        yield Limit(f"{size}, +5 %: {event}", large.share(event, 0.05), 0.95, large.runs, most=False)
    for event in BETTER:
        alone_exact = event == PROVED_BY_DRAWS
        yield Limit(f"{size}, +10 %: {event}", large.share(event, MARGIN), 0.05, large.runs, exact=alone_exact)
    for number, found in few.items():
        small = f"{number}+{number} spaces, heavy tails"
        yield Limit(f"{small}, no change: {HARM}", found.share(HARM, 0.0), 0.05, found.runs)
        yield Limit(f"{small}, +10 %: {SAFE}", found.share(SAFE, MARGIN), 0.05, found.runs)
        yield Limit(f"{small}, no change: {SEEN}", found.share(SEEN, 0.0), 0.05, found.runs, exact=number < FEWEST)


def document(large: Hours, few: dict[int, Hours], held: Sequence[Limit], seconds: float) -> dict[str, object]:
    return {
        "runs": large.runs,
        "seconds": round(seconds, 1),
        "large": large.document(),
        "few": {str(number): found.document() for number, found in few.items()},
        "limits": [{"what": each.what, "share": each.share, "bound": each.bound, "kept": each.kept} for each in held],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--spaces", type=int, default=60, help="in each arm")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.runs < 1 or given.spaces < 2:
        parser.error("at least one run, and two spaces in each arm")
    began = time.perf_counter()
    fleet = Fleet(spaces=given.spaces)
    large = hours(fleet, TRUTHS, (usual, alone, together, decided), given.runs)
    few = {number: hours(fleet.heavy(number), FEW_TRUTHS, (alone, together, decided), given.runs) for number in FEW}
    held = tuple(limits(large, few, given.spaces))
    seconds = time.perf_counter() - began
    if given.json:
        print(json.dumps(document(large, few, held, seconds), indent=2))
    else:
        size = f"{given.runs} runs, {given.spaces}+{given.spaces} spaces"
        lines = [
            *table(f"{size}: rolled back, median after", large, (*RULES, *WORSE), TRUTHS),
            *table(f"{size}: promoted, margin +10 %", large, BETTER, TRUTHS),
        ]
        for number, found in few.items():
            small = f"{given.runs} runs, {number}+{number} spaces, heavy tails"
            lines += table(f"{small}: rolled back", found, WORSE, FEW_TRUTHS)
            lines += table(f"{small}: promoted, margin +10 %", found, BETTER, FEW_TRUTHS)
        print("\n".join([*map(str.rstrip, lines), *(each.sentence for each in held), f"{seconds:.0f} s"]))
    sys.exit(0 if all(each.kept for each in held) else 1)


if __name__ == "__main__":
    main()
