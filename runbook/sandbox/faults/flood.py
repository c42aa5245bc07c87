"""A flood of loosely similar episodes, in a space of its own, through the same way in as everybody's.

Each group shares some words, so that its members lie at a cosine of about 0.4 to each other and near 0 to everything
else: noise at a threshold of 0.65, a concept at 0.3. The oldest episodes are forgotten beyond a window, so that what
keeps growing is not episodes. The texts are texts, and their embeddings are made of them.
"""

import asyncio
import logging
from collections import deque
from random import SystemRandom
from uuid import uuid4

from runbook.errors import StorageError
from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.records import Episode, now

SPACE = "chaos-flood"
WINDOW = 1500
GROUPS_PER_SECOND = 45.0
_TICK_SECONDS = 0.25
_SHARED = 5
_OWN = 6
# A text is easier to read and to keep than a list.
_WORDS = tuple(
    "anchor antler apricot arcade archive armour arrow autumn avenue badger bakery balcony ballad banner barley barrel "  # noqa: SIM905 - read as text
    "basalt basket beacon bellows berry bishop blanket blossom border bottle boulder bracket branch breeze bridge "
    "bronze bucket buffalo bundle cabin cactus candle canoe canvas canyon caravan carbon cargo carpet cartoon castle "
    "cavern cedar cellar chapel chariot cherry chimney chisel cinder circus citadel clarinet clover cobalt coffee "
    "collar comet compass copper coral cottage cotton cradle crater cricket crystal curtain cypress dagger daisy "
    "dancer desert diamond dolphin donkey dragon drawer drummer eagle easel echo elbow ember engine envelope estuary "
    "fabric falcon feather fennel ferry fiddle filter finch flannel flute forest fossil fountain fox furnace gable "
    "galaxy gallery garden garlic garnet gazelle geyser ginger glacier goblet granite gravel grocer guitar gutter "
    "hammer hammock harbour harvest hazel helmet heron hinge honey horizon hornet hurdle iceberg indigo ivory jacket "
    "jaguar jasmine jigsaw juniper kernel kettle keyboard kitchen kitten ladder lagoon lantern lattice laundry "
    "lavender leather ledger lemon lentil library lichen lilac linen lizard lobster locket magnet mango mantle maple "
    "marble market meadow medal melon mercury meteor millet mirror mitten monsoon mortar mosaic mountain mustard "
    "nectar needle nickel nutmeg oasis oatmeal ocean octave olive onyx orbit orchard organ otter oyster paddle palace "
    "panther paper parade parcel parrot pebble pelican pepper piano pigment pillow pirate pistol planet plaster "
    "pocket pollen pottery prairie prism puddle pulley pumpkin quarry quartz quiver rabbit radish raisin ranch raven "
    "reef ribbon river rocket rosemary rubber saddle saffron sailor salmon sandal sapphire satchel saucer scarlet "
    "sculptor shadow shelter shepherd shovel shutter signal silver sketch sparrow spindle spiral squash stable "
    "stallion statue steeple stencil strand summit sunset swallow tailor tandem teapot temple thicket thimble thistle "
    "throne thunder tiger timber topaz tortoise tractor trellis trumpet tulip tundra tunnel turbine turnip turtle "
    "umbrella valley vanilla velvet vendor violin vinegar volcano voyage wagon walnut warden willow window winter "
    "wizard woollen yarrow zebra zephyr zinc".split()
)


class Flood:
    """The flood of one node, from `start` to `stop`."""

    def __init__(self, engine: Engine, groups_per_second: float, window: int) -> None:
        self._engine = engine
        self._window = window
        self._rate = groups_per_second
        self._random = SystemRandom()
        self._prefix = f"flood-{uuid4().hex[:8]}"
        self._count = 0
        self._known: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make the space, and begin."""
        await self._engine.create_space(SPACE)
        with self._engine.memory.lock:
            self._known.extend(self._engine.memory.spaces[SPACE].episodes)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and forget the episodes; the concepts that were made of them stay."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._known:
            await self._forget(min(len(self._known), 200))

    async def _run(self) -> None:
        owed = 0.0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            owed += self._rate * _TICK_SECONDS
            groups, owed = int(owed), owed % 1.0
            try:
                await self._write(groups)
                if len(self._known) > self._window:
                    await self._forget(len(self._known) - self._window)
            except StorageError as error:
                logging.getLogger(__name__).warning("the flood pauses: %s", error)

    async def _write(self, groups: int) -> None:
        for _ in range(groups):
            shared = self._random.sample(_WORDS, _SHARED)
            episodes = [self._episode(shared) for _ in range(self._random.randint(3, 4))]
            self._known.extend(episode.id for episode in episodes)  # before: the end may come while they are written
            await asyncio.wrap_future(self._engine.graph(SPACE)[1].remember(episodes))

    async def _forget(self, count: int) -> None:
        oldest = [self._known.popleft() for _ in range(count)]
        await asyncio.wrap_future(self._engine.graph(SPACE)[1].forget(SPACE, oldest))

    def _episode(self, shared: list[str]) -> Episode:
        words = shared + self._random.sample(_WORDS, _OWN)
        self._random.shuffle(words)
        content = f"The {' and the '.join(', '.join(words[at : at + 4]) for at in range(0, len(words), 4))}."
        self._count += 1
        moment = now()
        return Episode(
            space=SPACE,
            id=f"{self._prefix}-{self._count:09d}",
            content=content,
            when=moment,
            embedding=embed(content).astype("<f4").tobytes(),
            created_at=moment,
            encoding_confidence=0.3,
        )
