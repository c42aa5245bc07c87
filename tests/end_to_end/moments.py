"""When something was first so, by the clock of this machine: by looking beside what is tested, and by the journal."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self

EVERY_SECONDS = 0.2


def moment(entry: Mapping[str, Any]) -> float:
    """When it was journaled, in seconds since 1970."""
    return datetime.fromisoformat(entry["at"]).astimezone(UTC).timestamp()


class Moments:
    """A thread that looks again and again; `seen` has the first moment at which each condition held."""

    def __init__(self, conditions: Mapping[str, Callable[[], bool]]) -> None:
        self.seen: dict[str, float] = {}
        self._conditions = conditions
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def all_seen(self) -> bool:
        """Did each hold once?"""
        return self.seen.keys() == self._conditions.keys()

    def _look(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            for name, condition in self._conditions.items():
                if name not in self.seen and _is_so(condition):
                    self.seen[name] = time.time()


def _is_so(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (OSError, ValueError, LookupError):
        return False  # not now; the next look will tell


def timeline(moments: Mapping[str, float], begin: float) -> Iterator[str]:
    """Lines for people: seconds since the begin, in order."""
    for what, at in sorted(moments.items(), key=lambda each: each[1]):
        yield f"{at - begin:7.2f} s  {what}"
