"""SIGKILL at the system calls by which a generation is filled, served and dropped: a whole one is served after it."""

import os
import re
import shutil
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
POINTS = 5
UUID = "00000000-0000-4000-8000-000000000001"
NEW = write("dual_memory", [episode("a"), episode("b"), concept(UUID), binding("a", UUID)])
OLD = write("dual_memory", [])


def traced(folder: Path, archive: Path, step: str, *options: str) -> tuple[int, list[str]]:
    """Run the script under strace; its exit code (negative: the signal), and the calls."""
    log = folder.parent / "trace"
    told = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *options]
    command = [*told, sys.executable, "-B", str(SCRIPT), str(folder), str(archive), step]
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


def calls_of(lines: list[str]) -> list[tuple[str, int]]:
    """Every call by name and number; strace counts each name by itself, in each thread."""
    made: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if (found := re.match(r"(\d+) +(\w+)\(", line)) is not None:
            made[found[1], found[2]] += 1
    most = {name: max(n for (_, other), n in made.items() if other == name) for _, name in made}
    return [(name, number) for name in sorted(most) for number in range(1, most[name] + 1)]


@pytest.mark.parametrize("step", ["fill", "activate", "return", "drop"])
def test_a_kill_anywhere_leaves_one_whole_generation(tmp_path: Path, step: str) -> None:
    """The old or the new one is served, whole; what is listed is there, and nothing else is."""
    archive, before, after = tmp_path / "archive", tmp_path / "before", tmp_path / "after"
    archive.write_bytes(NEW)
    Engine(before).close()
    for earlier in ["fill", "activate", "return", "drop"]:
        if earlier == step:
            break
        assert traced(before, archive, earlier)[0] == 0
    shutil.copytree(before, after)
    code, lines = traced(after, archive, step)
    assert code == 0
    every = calls_of(lines)
    points = [every[at * (len(every) - 1) // (POINTS - 1)] for at in range(POINTS)]
    allowed = [served(before), served(after)]
    killed = 0
    for name, number in points:
        folder = tmp_path / f"{name}{number}"
        shutil.copytree(before, folder, dirs_exist_ok=True)
        code, _ = traced(folder, archive, step, "-e", f"inject={name}:signal=SIGKILL:when={number}")
        killed += code in {-9, 137}  # the last calls may be one more or less from run to run
        found = served(folder)
        assert found in allowed or found[0] in {one[0] for one in allowed}, f"killed at {name} {number}"
        active = next(generation for generation, state in found[1].items() if state == "active")
        assert found[0] == exact(OLD if active == "g1" else NEW), f"killed at {name} {number}"
    assert killed >= POINTS - 2
