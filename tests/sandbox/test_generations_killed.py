"""SIGKILL at the system calls by which a generation is filled, served and dropped: a whole one is served after it."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from whole_data import binding, concept, episode, exact, write

from runbook.sandbox.engine import Engine
from runbook.sandbox.exporting import Export

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate"
"""What changes the disk."""
SCRIPT = Path(__file__).with_name("switching_node.py")
POINTS = 14
UUID = "00000000-0000-4000-8000-000000000001"
NEW = write("dual_memory", [episode("a"), episode("b"), concept(UUID), binding("a", UUID)])
OLD = write("dual_memory", [])


def traced(folder: Path, archive: Path, *options: str) -> tuple[int, list[str]]:
    """Run the script under strace; its exit code (negative: the signal), and the calls."""
    log = folder.parent / "trace"
    told = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *options]
    command = [*told, sys.executable, "-B", str(SCRIPT), str(folder), str(archive)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env={**os.environ, "TZ": "UTC"})
    return done.returncode, log.read_text().splitlines()


def served(folder: Path) -> tuple[str, dict[str, str]]:
    """What the node serves after a restart, to the bit, and which generations there are."""
    engine = Engine(folder)
    try:
        found = exact(b"".join(Export(engine.holdings.origin(), "dual_memory")))
        named = {each["id"]: each["state"] for each in engine.holdings.listed()}
        files = {path.name for path in folder.glob("memory*.db")}
        assert files == {engine.generations.path(generation).name for generation in named}
        for each in engine.holdings.listed():
            assert (each["id"] == "g1") == (each["counts"]["episode"] == 0)
        return found, named
    finally:
        engine.close()


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    """Calls of an undisturbed run, by name and number (strace counts each name by itself, in each thread)."""
    root = tmp_path_factory.mktemp("undisturbed")
    archive = root / "archive"
    archive.write_bytes(NEW)
    code, calls = traced(root / "node", archive)
    assert code == 0
    made: Counter[tuple[str, str]] = Counter()
    for line in calls:
        if (found := re.match(r"(\d+) +(\w+)\(", line)) is not None:
            made[found[1], found[2]] += 1
    most = {name: max(n for (_, other), n in made.items() if other == name) for _, name in made}
    every = [(name, number) for name in sorted(most) for number in range(1, most[name] + 1)]
    assert len(every) > 60
    return [every[at * (len(every) - 1) // (POINTS - 1)] for at in range(POINTS)]


def test_a_kill_anywhere_leaves_one_whole_generation(tmp_path: Path, points: list[tuple[str, int]]) -> None:
    """The old or the new one is served, whole; what is listed is there, and nothing else is."""
    archive = tmp_path / "archive"
    archive.write_bytes(NEW)
    seen = set()
    killed = 0
    for name, number in points:
        folder = tmp_path / f"{name}{number}"
        code, _ = traced(folder, archive, "-e", f"inject={name}:signal=SIGKILL:when={number}")
        killed += code in {-9, 137}  # the last few calls may be one more or less from run to run
        found, named = served(folder)
        active = next(generation for generation, state in named.items() if state == "active")
        assert found == exact(OLD if active == "g1" else NEW), f"killed at {name} {number}"
        seen.add(tuple(sorted(named.values())))
    assert killed >= POINTS - 2
    assert len(seen) > 1, f"every kill fell into one state: {seen}"
