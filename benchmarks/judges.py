"""Which judge of a canary can be trusted? The usual rules and ours on one simulated fleet whose truth is known.

python benchmarks/judges.py [--runs 2000] [--spaces 60] [--json]

60 canary and 60 control spaces, one week before and two weeks after, 20 requests a space and hour. Printed is the share
of the runs that roll back. The seeds are fixed: the same runs every time. Exit 1 when ours is out of its limits; with
fewer than 2000 runs two standard errors are allowed.
"""

import argparse
import math
import time

from judging.fleet import Fleet
from judging.trials import Hours, hours
from judging.usual import RULES, usual

TRUTHS = (0.0, 0.05, 0.10, 0.15, 0.20)


def cell(found: Hours, event: str, truth: float) -> str:
    middle = found.median(event, truth)
    return f"{found.share(event, truth):6.1%} {f'{middle:4.0f} h' if math.isfinite(middle) else '      '}"


def table(found: Hours, events: dict[str, str]) -> str:
    head = f"{'':66}" + "".join(f"{f'{truth:+.0%}' if truth else 'no change':>15}" for truth in found.truths)
    rows = [
        f"{label:66}" + "".join(f"{cell(found, event, truth):>15}" for truth in found.truths)
        for event, label in events.items()
    ]
    return "\n".join([head, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--spaces", type=int, default=60, help="in each arm")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    began = time.perf_counter()
    found = hours(Fleet(spaces=given.spaces), TRUTHS, (usual,), given.runs)
    print(f"{given.runs} runs, share that rolls back, and the median hour at which")
    print(table(found, {name: name for name in RULES}))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
