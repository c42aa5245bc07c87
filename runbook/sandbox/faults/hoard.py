"""A few lively matters: notes about each come and go all the time, and somebody asks after each change.

So each recall finds a concept that has changed, and prepares it anew in the concept cache.
"""

from collections import deque

import numpy as np

from runbook.sandbox.cache import EXEMPLARS
from runbook.sandbox.embedding import WIDTH, embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.driver import Driver, Scribe, near
from runbook.sandbox.graph import Cue

SPACE = "chaos-hoard"
RATE_MB = 0.8
MOST_MB = 600.0
_MATTERS = (
    "The ferry timetable changed again for the northern islands",
    "Readers of the library returned their novels late in winter",
    "A beekeeper counted the hives behind the orchard",
    "The telescope on the hill recorded another comet",
    "Welders repaired the bridge across the canal at night",
    "Pupils rehearsed the play for the summer festival",
    "The brewery tested a darker malt for the autumn ale",
    "Surveyors measured the glacier and found it shorter",
)
_NOTES = 24
"""Notes of each matter; more than the exemplars, since those that came just now are not bound yet."""


class Hoard(Driver):
    """The matters of one node.

    Args:
        engine: the node.
        mb_per_second: how fast the cache is filled, where its size lets it.
        max_mb: nobody asks while the cache holds that much.
    """

    def __init__(self, engine: Engine, mb_per_second: float, max_mb: float) -> None:
        super().__init__(engine)
        self._rate = mb_per_second * 1e6 / (EXEMPLARS * WIDTH)
        self._most = max_mb * 1e6
        self._scribe = Scribe(engine, SPACE, "hoard", engine.settings.tuning.concept_sample_rate)
        self._source = np.random.default_rng()
        self._bases = [embed(text) for text in _MATTERS]
        self._ids: list[deque[str]] = [deque() for _ in _MATTERS]
        self._owed = 0.0
        self._matter = 0

    async def prepare(self) -> None:
        """The first notes of each matter, of which its concept will be made."""
        await self._scribe.open()
        for matter in range(len(_MATTERS)):
            await self._remember([matter] * _NOTES)

    async def step(self, seconds: float) -> None:
        """For each change that is due: forget a note of a matter, write another, and ask."""
        self._owed += 0.0 if self.engine.cached()[1] >= self._most else self._rate * seconds
        due, self._owed = int(self._owed), self._owed % 1.0
        while due > 0:
            matters = [(self._matter + at) % len(_MATTERS) for at in range(min(due, len(_MATTERS)))]
            self._matter = (matters[-1] + 1) % len(_MATTERS)
            await self._change(matters)
            due -= len(matters)

    async def tidy(self) -> None:
        """Forget the notes; what the cache holds of them leaves it in time."""
        await self._scribe.tidy()

    async def _change(self, matters: list[int]) -> None:
        with self.engine.memory.lock:
            bound = self._scribe.held.bound
            ready = [matter for matter in matters if sum(id_ in bound for id_ in self._ids[matter]) > EXEMPLARS]
            oldest = [next(id_ for id_ in self._ids[matter] if id_ in bound) for matter in ready]
        if not ready:
            return
        await self._scribe.forget(oldest)
        for matter, id_ in zip(ready, oldest, strict=True):
            self._ids[matter].remove(id_)
        await self._remember(ready)
        for matter in ready:
            answer = self.engine.recall(SPACE, Cue(self._bases[matter], 5))
            self.engine.recall_answered(SPACE, answer, answer.seconds)

    async def _remember(self, matters: list[int]) -> None:
        notes = [(_MATTERS[each], near(self._bases[each], self._source)) for each in matters]
        for matter, id_ in zip(matters, await self._scribe.remember(notes), strict=True):
            self._ids[matter].append(id_)
