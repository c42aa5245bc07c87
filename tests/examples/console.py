"""Console examples of a document: what is typed, what is shown, and with which exit code it ends."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\(exit (\d+)\)")
OMITTED = "..."


@dataclass(frozen=True)
class Example:
    """One command with the output that the document shows; `...` in it stands for any lines."""

    document: str
    command: str
    shown: tuple[str, ...]
    exit_code: int = 0

    def __str__(self) -> str:
        return f"{self.document}: {self.command}"


def examples_of(document: Path) -> list[Example]:
    """Every command of the console blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    return [each for block in _BLOCK.findall(text) for each in _examples(document.name, block.splitlines())]


def _examples(document: str, lines: Sequence[str]) -> Iterator[Example]:
    starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"{document}: a console block begins with a command, not with {lines[0]!r}"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        typed = [lines[start][2:]]
        rest = list(lines[start + 1 : end])
        while rest and rest[0].startswith("> "):
            typed.append(rest.pop(0)[2:])
        found = _EXIT.fullmatch(rest[-1]) if rest else None
        yield Example(
            document, "\n".join(typed), tuple(rest[:-1] if found else rest), int(found.group(1)) if found else 0
        )


# What differs from run to run and from machine to machine, the most particular first.
_MASKS = (
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{4}\b"), "RUN"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"(?<![\w.:/])/[\w./-]+"), "PATH"),
    (re.compile(r"\b[\w.-]+@[\w.-]+"), "WHO"),
    # An answer and its question are the fact; the arithmetic behind it is this run's.
    (re.compile(r"^(\s*(?:YES|NO|UNKNOWN)\s+(?:\S+: \S+ is back|\S.*?))(?:: |\s{2,}).*"), r"\1"),
    (re.compile(r"(?:(?<!\w)-)?\d+(?:\.\d+)?(?:e-?\d+)?"), "#"),
    (re.compile(r"\s+"), " "),
)


def masked(line: str, who: str) -> str:
    """The line without what differs from run to run; `who` is the person who ran it, `anna` in the documents."""
    line = re.sub(rf"\b{re.escape(who)}\b", "anna", line)
    for pattern, instead in _MASKS:
        line = pattern.sub(instead, line)
    return line.strip()


def missing(shown: Sequence[str], printed: Sequence[str], who: str) -> str:
    """The first shown line that was not printed where it should have been; empty where all fit.

    The lines between two shown ones, and behind the last, may only be there where the document says `...`.
    """
    wanted = [line if line == OMITTED else masked(line, who) for line in shown if line.strip()]
    got = [masked(line, who) for line in printed if line.strip()]
    at = 0
    skipping = False
    for line in wanted:
        if line == OMITTED:
            skipping = True
            continue
        found = next((index for index in range(at, len(got)) if got[index] == line), None)
        if found is None or (found > at and not skipping):
            return f"expected {line!r}, printed {got[at : at + 3]}"
        at, skipping = found + 1, False
    return "" if skipping or at == len(got) or not wanted else f"not shown, and no `...`: {got[at]!r}"


@dataclass(frozen=True)
class Outcome:
    """What a command of the session did."""

    example: Example
    exit_code: int
    printed: list[str]
    talk: str


def script_of(examples: list[Example]) -> str:
    """One shell that runs them in order, so that folders and variables stay; it stops at an unexpected exit code."""
    lines = ["trap 'jobs -p | xargs -r kill; runbook sandbox down >/dev/null 2>&1; wait' EXIT"]
    for number, example in enumerate(examples):
        lines += [
            f"{{ {example.command}\n}} >$OUT/{number}.out 2>$OUT/{number}.err </dev/null",
            f"code=$?; echo $code >$OUT/{number}.code; [ $code = {example.exit_code} ] || exit 1",
        ]
    return "\n".join(lines)


def run_all(examples: list[Example], home: Path, out: Path, patience_seconds: float) -> list[Outcome]:
    """Run them by one shell in a home of their own; those that were begun, in order."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    environment = kept | {"HOME": str(home), "PATH": path, "OUT": shlex.quote(str(out)), "COLUMNS": "250"}
    limit = ["timeout", "--kill-after=30", str(patience_seconds)]  # its signal goes to whatever was started, too
    with (out / "shell").open("wb") as talk:
        subprocess.run(
            [*limit, "bash", "-c", script_of(examples)],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            check=False,
        )
    return list(_outcomes(examples, out))


def _outcomes(examples: list[Example], out: Path) -> Iterator[Outcome]:
    for number, example in enumerate(examples):
        code = out / f"{number}.code"
        if code.exists():
            printed, talk = ((out / f"{number}.{kind}").read_text() for kind in ("out", "err"))
            yield Outcome(example, int(code.read_text()), printed.splitlines(), talk)
