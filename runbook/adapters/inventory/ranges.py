"""Ansible's ranges of hosts: `node[1:3]`, `node[01:10:2]`, `rack[a:c]-node[1:4]`."""

import itertools
import re
import string
from pathlib import Path

from runbook.errors import DamagedError

_RANGE = re.compile(r"\[([0-9]{0,6}|[A-Za-z]):([0-9]{1,6}|[A-Za-z])(?::([0-9]{1,6}))?\]")
_PORT = re.compile(r":[0-9]{1,5}$")
_MOST_HOSTS = 10_000


def expand(path: Path, pattern: str) -> list[str]:
    """The hosts that a pattern stands for; a port at its end belongs to ssh and is left out.

    Raises:
        DamagedError: the range does not read, or stands for more than 10 000 hosts.
    """
    # split() with three groups gives: text, begin, end, step, text, ..., text
    parts = _RANGE.split(_PORT.sub("", pattern) if pattern.count(":") == 1 or "[" in pattern else pattern)
    texts, bounds = parts[0::4], list(zip(parts[1::4], parts[2::4], parts[3::4], strict=True))
    if any("[" in text or "]" in text for text in texts):
        raise DamagedError(f"{path}: the range in {pattern!r} does not read", hint="write it like node[1:3]")
    count = 1
    choices = []
    for begin, end, step in bounds:
        values = _values(path, pattern, begin or "0", end, int(step or 1))
        count *= len(values)
        if not 0 < count <= _MOST_HOSTS:
            raise DamagedError(f"{path}: {pattern!r} stands for {count} hosts", hint=f"at most {_MOST_HOSTS}, not none")
        choices.append(values)
    return ["".join(_interleaved(texts, chosen)) for chosen in itertools.product(*choices)]


def _values(path: Path, pattern: str, begin: str, end: str, step: int) -> list[str]:
    wrong = DamagedError(f"{path}: the range in {pattern!r} does not read", hint="write it like node[1:3]")
    if step == 0 or begin.isdigit() != end.isdigit():
        raise wrong
    if not begin.isdigit():
        letters = string.ascii_letters
        return list(letters[letters.index(begin) : letters.index(end) + 1 : step])
    width = len(begin) if begin.startswith("0") and len(begin) > 1 else 0
    if width and width != len(end):
        raise wrong
    return [str(number).zfill(width) for number in range(int(begin), int(end) + 1, step)]


def _interleaved(texts: list[str], chosen: tuple[str, ...]) -> list[str]:
    return [part for pair in itertools.zip_longest(texts, chosen, fillvalue="") for part in pair]
