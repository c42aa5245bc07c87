"""How long the help takes, beside the smallest program that Click makes: both in one run, in turns.

Goal: `runbook --help` <= 1.5 x a bare Click hello. The smaller of two minima is what the machine's load hides least.
"""

import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROUNDS = 15
GOAL = 1.5
HELLO = """
import click

@click.command()
def hello():
    \"\"\"Say hello.\"\"\"

hello()
"""


def milliseconds(command: list[str], cwd: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    runbook = Path(sysconfig.get_path("scripts")) / "runbook"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hello = folder / "hello.py"
        hello.write_text(HELLO)
        commands = {
            "click hello --help": [sys.executable, str(hello), "--help"],
            "runbook --help": [sys.executable, str(runbook), "--help"],
            "runbook COMMAND --help": [sys.executable, str(runbook), "high-formation-rate", "--help"],
        }
        taken: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(ROUNDS + 1):
            for label, command in commands.items():
                taken[label].append(milliseconds(command, folder))
    print(f"{ROUNDS} starts each, in turns, ms for the whole process")
    print(f"{'':24}{'min':>8}{'median':>8}{'ratio of minima':>18}{'of medians':>12}")
    bare = taken["click hello --help"][1:]  # the first of each fills the caches
    for label, times in taken.items():
        best, middle = min(times[1:]), statistics.median(times[1:])
        print(f"{label:24}{best:8.1f}{middle:8.1f}{best / min(bare):18.2f}{middle / statistics.median(bare):12.2f}")
    ratio = min(taken["runbook --help"][1:]) / min(bare)
    print(f"goal: {GOAL}; runbook --help is {'within' if ratio <= GOAL else 'OVER'} it")


if __name__ == "__main__":
    main()
