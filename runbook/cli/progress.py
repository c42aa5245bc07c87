"""How far a long command is, on stderr: a bar with rate and time left on a terminal, or JSON lines for whoever asks."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import click

from runbook.cli.screen import ScreenTalk

AUTO, JSON, NONE = "auto", "json", "none"
"""What `--progress` may say: a bar where stderr is a terminal; a JSON object a line; nothing."""
_PAUSE_SECONDS = 0.25
_MIB = 1 << 20


class Unit(StrEnum):
    """What is counted."""

    RECORDS = "records"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Pace:
    """How far, and how fast so far; `total` is None where nobody knows it."""

    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float | None:
        """Of the unit, a second; None as long as it cannot be told."""
        return self.done / self.seconds if self.seconds > 0 and self.done > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """At that rate; None where it cannot be told."""
        if self.total is None or self.rate is None:
            return None
        return max(self.total - self.done, 0) / self.rate

    def words(self, unit: Unit) -> str:
        """For people: `1200 records/s, 8 s left`."""
        if self.rate is None:
            return ""
        speed = f"{self.rate / _MIB:.1f} MiB/s" if unit is Unit.BYTES else f"{self.rate:.0f} {unit}/s"
        return speed if self.seconds_left is None else f"{speed}, {self.seconds_left:.0f} s left"


class ProgressTalk(ScreenTalk):
    """The talk of a command that moves data: what `say` tells stands above the bar.

    Args:
        how: what `--progress` said.
        clock: steady seconds.
    """

    def __init__(self, how: str = AUTO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._how = how
        self._clock = clock
        self._moving = ""
        self._began = self._told = clock()

    def moved(self, label: str, done: int, total: int | None, unit: Unit = Unit.RECORDS) -> None:
        """So much of that is done; a new label begins anew."""
        now = self._clock()
        begins = label != self._moving
        if begins:
            self.close()
            self._moving, self._began = label, now
        ended = total is not None and done >= total
        if not (begins or ended) and now - self._told < _PAUSE_SECONDS:
            return
        self._told = now
        pace = Pace(done, total, now - self._began)
        if self._how == JSON:
            self._tell(label, pace, unit)
        elif self._how == AUTO and sys.stderr.isatty():
            self._move(label, done, total, pace.words(unit))
        if ended:
            self.close()
            self._moving = ""

    def counted(self, label: str, chunks: Iterable[bytes], total: int | None = None) -> Iterator[bytes]:
        """The chunks themselves; their bytes are told as they pass."""
        done = 0
        for chunk in chunks:
            done += len(chunk)
            self.moved(label, done, total, Unit.BYTES)
            yield chunk

    def passing(self, label: str, total: int) -> Callable[[int], None]:
        """To be told of bytes that others count: how many more have passed."""
        done = 0

        def passed(size: int) -> None:
            nonlocal done
            done += size
            self.moved(label, done, total, Unit.BYTES)

        return passed

    @staticmethod
    def _tell(label: str, pace: Pace, unit: Unit) -> None:
        left, rate = pace.seconds_left, pace.rate
        found = {
            "label": label,
            "done": pace.done,
            "total": pace.total,
            "unit": unit.value,
            "rate": None if rate is None else round(rate, 1),
            "seconds_left": None if left is None else round(left, 1),
        }
        click.echo(json.dumps({"progress": found}), err=True)
