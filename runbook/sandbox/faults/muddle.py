"""Notes that mix up what the people of a space write about: most of one text, with words of another in it.

Notes of a handful of texts are loosely alike: one cluster at a threshold of 0.15, noise at 0.65. They resemble what is
asked, so they are recalled; and a concept made of them leads from any of them to all the others. They are forgotten
after a while, as short-lived notes are, so that the muddle fades once no more of it is made into concepts.
"""

import random
from collections import deque

from runbook.sandbox.embedding import Vector, embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.driver import Driver, Scribe

MARK = "chaos-muddle"
GROUPS_PER_SECOND = 0.5
KEEP_SECONDS = 30.0
_TEXTS = 6
_FIRST = 2
"""Groups in each space at once, so that the muddle is there soon."""
_MOST, _SOME = 0.85, 0.25
"""How much of its own text is in a note, and how much of another."""
_FEWEST = 8
"""A space with fewer episodes is nobody's."""


class Muddle(Driver):
    """The notes of one node, in every space that people use.

    Args:
        engine: the node.
        groups_per_second: how many groups of notes, over all spaces.
        keep_seconds: how long a note is kept.
    """

    def __init__(self, engine: Engine, groups_per_second: float, keep_seconds: float) -> None:
        super().__init__(engine)
        self._rate = groups_per_second
        self._keep = keep_seconds
        self._share = engine.settings.tuning.concept_sample_rate
        self._random = random.SystemRandom()
        self._scribes: dict[str, Scribe] = {}
        self._turns: deque[str] = deque()
        self._written: deque[tuple[float, Scribe, list[str]]] = deque()
        self._clock = 0.0
        self._owed = 0.0

    async def prepare(self) -> None:
        """The first groups in each space."""
        self._look()
        for space in list(self._turns) * _FIRST:
            await self._write(space)

    async def step(self, seconds: float) -> None:
        """Write the groups that are due, and forget those that are old."""
        self._clock += seconds
        self._owed += self._rate * seconds
        due, self._owed = int(self._owed), self._owed % 1.0
        for _ in range(due):
            self._look()
            if self._turns:
                self._turns.rotate(-1)
                await self._write(self._turns[-1])
        while self._written and self._written[0][0] + self._keep < self._clock:
            _, scribe, ids = self._written[0]
            await scribe.forget(ids)
            self._written.popleft()

    async def tidy(self) -> None:
        """Forget all of them, in whichever space."""
        for space in list(self.engine.memory.spaces):
            await Scribe(self.engine, space, MARK).tidy()
        self._written.clear()

    def _look(self) -> None:
        """Notice spaces that are new."""
        with self.engine.memory.lock:
            used = [name for name, space in self.engine.memory.spaces.items() if len(space.episodes) >= _FEWEST]
        for name in used:
            if name not in self._scribes and not name.startswith("chaos-"):
                self._scribes[name] = Scribe(self.engine, name, MARK, self._share)
                self._turns.append(name)

    async def _write(self, space: str) -> None:
        with self.engine.memory.lock:
            episodes = self.engine.memory.spaces[space].episodes.values()
            texts = [entry.content for entry in episodes if not entry.id.startswith(MARK)]
        if len(texts) < _TEXTS:
            return
        chosen = self._random.sample(texts, _TEXTS)
        notes = [self._note(own, self._random.choice(chosen)) for own in chosen * 2]  # a pair is no concept by itself
        ids = await self._scribes[space].remember(notes)
        self._written.append((self._clock, self._scribes[space], ids))

    def _note(self, own: str, other: str) -> tuple[str, Vector]:
        content = f"{self._words(own, _MOST)} and {self._words(other, _SOME)}"
        return content, embed(content)

    def _words(self, text: str, share: float) -> str:
        """So much of the text, in its order."""
        words = text.rstrip(".").split()
        kept = sorted(self._random.sample(range(len(words)), max(round(share * len(words)), 1)))
        return " ".join(words[at] for at in kept)
