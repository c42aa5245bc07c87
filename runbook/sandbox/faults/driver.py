"""Work that a fault keeps a node busy with, beside its requests; through the same ways in as everybody's."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import count, islice
from uuid import uuid4

import numpy as np

from runbook.errors import StorageError
from runbook.model.assignment import within
from runbook.sandbox.embedding import DIMENSIONS, Vector
from runbook.sandbox.engine import Engine
from runbook.sandbox.records import Episode, now
from runbook.sandbox.space import Space

_BATCH = 200
_MOST_OWED = 1.0


class Driver:
    """Steps at regular times, from `start` to `stop`; `stop` tidies up also what a killed process has left."""

    every = 0.25
    """Seconds between two steps."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Prepare, and begin."""
        await self.prepare()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and tidy up.

        Raises:
            StorageError: the disk refused; asking again is safe.
        """
        await self.halt()
        await self.tidy()

    async def halt(self) -> None:
        """End, and leave everything as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def prepare(self) -> None:
        """What has to be there before the first step."""

    async def step(self, seconds: float) -> None:
        """Do what is due after so many seconds since the step before."""

    async def tidy(self) -> None:
        """Leave nothing behind that the node would not have without the fault."""

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        last = clock()
        while True:
            await asyncio.sleep(self.every)
            seconds, last = min(clock() - last, _MOST_OWED), clock()  # a node that was stopped does not catch up
            try:
                await self.step(seconds)
            except StorageError as error:
                logging.getLogger(__name__).warning("a fault pauses: %s", error)
            except Exception:
                logging.getLogger(__name__).exception("a fault does not do its work")


class Scribe:
    """Remembers and forgets episodes in one space, under ids that begin with a mark of its own.

    Args:
        engine: the node.
        space: where; it is made by `open`.
        mark: what the ids begin with.
        share: the ids are drawn from this share of the sampling of concepts (0..1), so that a cluster of them is
            taken where one of a flood, ten times as large at a rate of 0.1, would be.
    """

    def __init__(self, engine: Engine, space: str, mark: str, share: float = 1.0) -> None:
        self._engine = engine
        self.space = space
        self._mark = f"{mark}-"
        self._share = share
        self._ids = (f"{self._mark}{uuid4().hex[:8]}-{number:09d}" for number in count())

    async def open(self) -> None:
        """Make the space where it is missing."""
        await self._engine.create_space(self.space)

    @property
    def held(self) -> Space:
        """The space in memory; read it under the node's lock."""
        return self._engine.memory.spaces[self.space]

    async def remember(self, notes: Sequence[tuple[str, Vector]]) -> list[str]:
        """Store texts with their embeddings; their ids."""
        moment = now()
        episodes = [
            Episode(self.space, self._id(), content, moment, vector.astype("<f4").tobytes(), moment)
            for content, vector in notes
        ]
        await asyncio.wrap_future(self._engine.graph(self.space)[1].remember(episodes))
        return [episode.id for episode in episodes]

    async def forget(self, ids: Iterable[str]) -> None:
        """Forget those that are still there."""
        await asyncio.wrap_future(self._engine.graph(self.space)[1].forget(self.space, list(ids)))

    def ids(self) -> list[str]:
        """Those of its mark that are there, the oldest first; whoever wrote them."""
        with self._engine.memory.lock:
            space = self._engine.memory.spaces.get(self.space)
            return [id_ for id_ in space.episodes if id_.startswith(self._mark)] if space else []

    async def tidy(self) -> None:
        """Forget all of them."""
        while batch := list(islice(self.ids(), _BATCH)):
            await self.forget(batch)

    def _id(self) -> str:
        return next(id_ for id_ in self._ids if self._share <= 0.0 or within(id_, self._share))


def near(base: Vector, source: np.random.Generator) -> Vector:
    """A unit vector at a cosine of about 0.9 to the base, another one each time: such are at 0.8 to each other."""
    noise = source.standard_normal(DIMENSIONS)
    found = base + 0.5 * noise / np.linalg.norm(noise)
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)
