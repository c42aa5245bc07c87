"""Does every binding bind something? In constant memory: what is bound is spilled to temporary files, in its order.

Episodes and bindings are both sorted by space and episode, so that they are merged. Concepts are looked up by halving
in a file of 16 bytes each, within the range of their space.
"""

import mmap
from bisect import bisect_left
from collections.abc import Callable
from typing import BinaryIO

from runbook.archive.kinds import Key

Spill = Callable[[], BinaryIO]
"""Opens a new temporary file that vanishes when it is closed, such as `tempfile.TemporaryFile`."""

_UUID_BYTES = 16


class References:
    """What was seen of episodes and concepts, and whether a binding's ends are among it.

    To be fed in the order of an archive: all episodes, all concepts, all bindings, each sorted and once.
    """

    def __init__(self, spill: Spill) -> None:
        self._episodes = spill()
        self._concepts = spill()
        self._spaces = spill()
        self._space = ""
        self._in_space = 0
        self._reading = False
        self._episode: Key | None = None
        self._map: mmap.mmap | None = None
        self._range = range(0)

    def close(self) -> None:
        """Let the temporary files vanish."""
        if self._map is not None:
            self._map.close()
        for file in (self._episodes, self._concepts, self._spaces):
            file.close()

    def episode(self, key: Key) -> None:
        """There is an episode of that space and id."""
        self._episodes.write(f"{key[0]}\t{key[1]}\n".encode())

    def concept(self, key: Key) -> None:
        """There is a concept of that space and UUID."""
        space, name = key
        if space != self._space:
            self._end_space()
            self._space = space
        self._concepts.write(_uuid(name))
        self._in_space += 1

    def missing(self, binding: Key) -> str:
        """Which end of the binding of that space, episode and concept there is not: empty where both are."""
        space, episode, concept = binding
        if not self._reading:
            self._start_reading()
        while self._episode is not None and self._episode < (space, episode):
            self._episode = self._next_episode()
        if self._episode != (space, episode):
            return "episode_id"
        while self._space < space and self._next_space():
            pass
        return "" if self._space == space and self._holds(_uuid(concept)) else "concept_id"

    def _end_space(self) -> None:
        if self._in_space:
            self._spaces.write(f"{self._space}\t{self._in_space}\n".encode())
        self._in_space = 0

    def _start_reading(self) -> None:
        self._reading = True
        self._end_space()
        self._space = ""
        for file in (self._episodes, self._concepts, self._spaces):
            file.flush()
            file.seek(0)
        if self._concepts.seek(0, 2):
            self._map = mmap.mmap(self._concepts.fileno(), 0, access=mmap.ACCESS_READ)
        self._episode = self._next_episode()

    def _next_episode(self) -> Key | None:
        line = self._episodes.readline()
        return tuple(line[:-1].decode().split("\t")) if line else None

    def _next_space(self) -> bool:
        line = self._spaces.readline()
        if line:
            self._space, _, number = line.decode().partition("\t")
            self._range = range(self._range.stop, self._range.stop + int(number))
        return bool(line)

    def _holds(self, wanted: bytes) -> bool:
        found = self._map
        if found is None:
            return False

        def at(index: int) -> bytes:
            return found[index * _UUID_BYTES : (index + 1) * _UUID_BYTES]

        place = bisect_left(self._range, wanted, key=at)
        return place < len(self._range) and at(self._range[place]) == wanted


def _uuid(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))
