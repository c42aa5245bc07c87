"""What the server says to whoever reads its stderr: never the same again and again, because a peer asks again."""

import threading
from collections.abc import Callable

from runbook.ports import Clock

AGAIN_SECONDS = 60.0
MOST_HELD = 100


class Sayings:
    """Says a sentence once a minute at most. Several threads may speak."""

    def __init__(self, say: Callable[[str], None], clock: Clock) -> None:
        self._say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Say it, unless it was said just now."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._said.get(text, -AGAIN_SECONDS) < AGAIN_SECONDS:
                return
            self._said.pop(text, None)
            self._said[text] = now
            if len(self._said) > MOST_HELD:
                del self._said[next(iter(self._said))]
            self._say(text)
