"""Sweeps: a command is stopped, or refused, at each system call by which it changes the world, one run per call.

strace counts and stops. A point is one system call: its name, and the how-manieth of its name it is in its thread.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runbook.errors import RunbookError

HERE = Path(__file__).parent
CHANGES = (
    *("write", "pwrite64", "writev", "pwritev", "truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "symlink"),
    *("symlinkat", "rename", "renameat", "renameat2", "link", "linkat", "connect", "sendto", "sendmsg"),
)
"""Always a change of the disk, or a request to a node; the creating `open` and `openat` are told by their flags."""
CREATING = re.compile(r"O_CREAT|O_TRUNC|O_TMPFILE")
TRACED = ",".join(f"?{name}" for name in (*CHANGES, "open", "openat", "creat"))
ERRORS = ("EIO", "ENOSPC")
ALL = os.environ.get("FAULTS") == "all"
SECONDS = 60.0
SCRATCH = "scratch"
"""Beside what a command works on: for files without a name."""
SAMPLED = {  # kills of `make test`, half as many refusals; at most 60 altogether
    "document": 3,
    "export": 3,
    "packed_export": 2,
    "backup": 2,
    "next_backup": 4,
    "cells": 3,
    "first_cells": 2,
    "evidence": 2,
    "runbook export": 4,
    "runbook backup create": 4,
    "runbook migrate -o": 4,
    "runbook migrate -o, back": 2,
    "runbook backup prune": 4,
    "runbook import": 4,
    "runbook backup restore": 4,
    **dict.fromkeys(("a node's fill", "a node's activate", "a node's go_back", "a node's drop"), 2),
}
CLEAN = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Point:
    """A system call; `text` is how strace showed it."""

    name: str
    number: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.name} number {self.number}: {self.text[:150]}"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended (negative: the signal), what it said, and its calls."""

    code: int
    out: bytes
    err: str
    calls: list[str]

    @property
    def injected(self) -> bool:
        """Was it stopped, or refused, where it was meant to be?"""
        return self.code == -9 or any("(INJECTED)" in line for line in self.calls)


@dataclass
class Runner:
    """A process that forks commands; `run` starts one, perhaps under strace."""

    process: subprocess.Popen[bytes]
    folder: Path
    runs: int = 0

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        *tracing: str,
        environment: Mapping[str, str] | None = None,
        **more: object,
    ) -> Ran:
        """Run the command in that folder; with `tracing` under strace, these being its options.

        `limit` is the largest size of a file, in bytes; `instead` a folder from which the product is imported.
        """
        self.runs += 1
        out, err, log = (self.folder / f"{self.runs}.{name}" for name in ("out", "err", "trace"))
        request = {
            "command": [str(each) for each in command],
            "folder": str(folder),
            "environment": dict(_plain(folder), **(environment or {})),
            "streams": [os.devnull, str(out), str(err)],
            "flags": [os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2],
            **more,
        }
        child = self._ask(request)
        with _watched(child, log, tracing):
            code = self._ask({})
        calls = log.read_text(errors="replace").splitlines() if tracing else []
        ran = Ran(code, out.read_bytes(), err.read_text(), calls)
        for path in (out, err, log):
            path.unlink(missing_ok=True)
        return ran

    def _ask(self, request: Mapping[str, object]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def _plain(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "xdg"),
        "RUNBOOK_STATE": str(folder / "state"),
        "TMPDIR": str(folder.parent / SCRATCH),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


@contextmanager
def _watched(child: int, log: Path, tracing: Sequence[str]) -> Iterator[None]:
    """The child runs under strace inside, if that is wanted."""
    if not tracing:
        yield
        return
    command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={TRACED}", *tracing, "-p", str(child)]
    strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert strace.stderr is not None
    try:
        told = strace.stderr.readline()
        assert "attached" in told, told
        yield
        strace.wait(SECONDS)
    finally:
        strace.kill()
        strace.wait()
        strace.stderr.close()


@contextmanager
def runner(folder: Path, *paths: Path) -> Iterator[Runner]:
    """A runner whose deeds import from these folders as well."""
    command = [sys.executable, "-B", str(HERE / "forking.py"), str(HERE), *map(str, paths)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=folder)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"0\n", "the runner did not start"
        (folder / SCRATCH).mkdir()
        yield Runner(process, folder)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def points_of(calls: Sequence[str]) -> list[Point]:
    """The calls of a traced run that change something, in the order in which they were made."""
    made: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Point] = {}
    for line in calls:
        call = CLEAN.match(line)
        if call is None:
            continue
        pid, name, rest = call.groups()
        made[pid, name] += 1
        if name in CHANGES or CREATING.search(rest):
            number = made[pid, name]
            found.setdefault((name, number), Point(name, number, rest))
    return list(found.values())


def chosen(points: Sequence[Point], at_most: int) -> list[Point]:
    """All of them where everything is asked for; else so many, evenly spread, the last one among them."""
    if ALL or len(points) <= at_most:
        return list(points)
    return [points[(at + 1) * len(points) // at_most - 1] for at in range(at_most)]


def content(folder: Path) -> dict[str, bytes | None]:
    """Every file below the folder by its name, and every folder (None); hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@dataclass
class Swept:
    """What a sweep went through, for the summary."""

    name: str
    of: int
    tried: int = 0
    hit: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        more = "".join(f", {count} {what}" for what, count in sorted(self.refused.items()))
        return f"{self.name}: {self.tried} of {self.of} points, {self.hit} hit{more}"


@dataclass(frozen=True)
class Scene:
    """A command, the folder in which it starts, and what has to be true of that folder whenever it was stopped.

    Args:
        name: for the summary.
        command: with `{}` for the folder.
        before: what is there before; each run has a copy.
        check: of the folder after a stop, and after a run that was through; fails by an assertion.
        product: what two runs that were through have in common, to the byte.
        again: the command that goes on after a stop, where it is another one.
        environment: what the command finds there, with `{}` for the folder.
        done: exit codes of a run that was through.
        done_again: those of one that goes on after a stop.
        renew: makes what is not in the folder, such as a node, as it was before.
        patience: waits for what a killed run holds, such as its lease on a node, to end.
        lenient: calls whose failure loses nothing, such as a hard link in place of which a copy is kept.
    """

    name: str
    command: Sequence[str]
    before: Path
    check: Callable[[Path], None]
    product: Callable[[Path], object]
    again: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    done: tuple[int, ...] = (0,)
    done_again: tuple[int, ...] = (0,)
    lenient: Callable[[Point], bool] = lambda _: False
    renew: Callable[[], None] = lambda: None
    patience: Callable[[], None] = lambda: None

    def run(self, runner: Runner, folder: Path, *tracing: str, again: bool = False, **more: object) -> Ran:
        """Run it there."""
        command = self.again if again and self.again else self.command
        environment = {name: value.replace("{}", str(folder)) for name, value in self.environment.items()}
        return runner.run(
            [each.replace("{}", str(folder)) for each in command], folder, *tracing, environment=environment, **more
        )

    @contextmanager
    def staged(self, runner: Runner, name: str) -> Iterator[Path]:
        """A folder as it is before."""
        folder = runner.folder / name
        shutil.copytree(self.before, folder, symlinks=True)
        self.renew()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def whole(self, runner: Runner) -> tuple[list[Point], object]:
        """The points of an uninterrupted run, and its product."""
        with self.staged(runner, "learning") as folder:
            ran = self.run(runner, folder, learn=str(runner.folder / "learned"))
            assert ran.code in self.done, ran.err
        with self.staged(runner, "whole") as folder:
            ran = self.run(runner, folder, "-s", "400")
            assert ran.code in self.done, ran.err
            self.check(folder)
            return points_of(ran.calls), self.product(folder)


def kill_everywhere(runner: Runner, scene: Scene) -> Swept:
    """SIGKILL at each point: the check holds, and the command, run again, gives what an uninterrupted run gives."""
    points, product = scene.whole(runner)
    swept = Swept(f"{scene.name}, SIGKILL", len(points))
    for at, point in enumerate(chosen(points, SAMPLED[scene.name])):
        with scene.staged(runner, f"killed-{at}") as folder:
            ran = scene.run(runner, folder, "-s", "0", "-e", f"inject={point.name}:signal=SIGKILL:when={point.number}")
            swept.tried += 1
            swept.hit += ran.injected
            try:
                scene.check(folder)
                scene.patience()
                again = scene.run(runner, folder, again=True)
                assert again.code in scene.done_again, again.err
                scene.check(folder)
                assert scene.product(folder) == product, "another result than without the kill"
            except (AssertionError, RunbookError) as error:
                pytest.fail(f"{scene.name}, killed at {point}\n{error!r}\n{ran.err}")
    assert swept.hit >= 0.9 * swept.tried - 1, swept  # the last calls may be one more or less from run to run
    return swept


def refuse_everywhere(runner: Runner, scene: Scene) -> Swept:
    """Each call on a file refused once, each error in turn: the command says so with code 16, or did without."""
    points, product = scene.whole(runner)
    points = [point for point in points if _is_of_a_file(point)]
    swept = Swept(f"{scene.name}, {' and '.join(ERRORS)}", len(points) * len(ERRORS))
    for at, point in enumerate(chosen(points, (SAMPLED[scene.name] + 1) // 2)):
        for error in ERRORS if ALL else [ERRORS[at % len(ERRORS)]]:
            with scene.staged(runner, f"refused-{at}-{error}") as folder:
                ran = scene.run(
                    runner, folder, "-s", "120", "-e", f"inject={point.name}:error={error}:when={point.number}"
                )
                swept.tried += 1
                swept.hit += ran.injected
                swept.refused[f"exit {ran.code}"] += 1
                try:
                    scene.check(folder)
                    if ran.injected and ran.code != 16:
                        assert scene.lenient(point), f"exit code {ran.code}"
                    if ran.code == 16 and ran.err:  # of several threads each has its own count, and so its refusal
                        assert "hint: " in ran.err, "no hint"
                    if ran.code in scene.done:
                        assert scene.product(folder) == product
                except (AssertionError, RunbookError) as failure:
                    pytest.fail(f"{scene.name}, {error} at {point}\n{failure!r}\n{ran.err}")
    assert swept.hit >= 0.9 * swept.tried - 1, swept
    return swept


def _is_of_a_file(point: Point) -> bool:
    """Is it no request, no write to standard output or error, and none that fails anyway?"""
    is_request = point.name in {"connect", "sendto", "sendmsg"}
    return not is_request and not re.match(r"[012]<", point.text) and " = -1 " not in point.text
