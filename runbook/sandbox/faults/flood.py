"""A flood of loosely similar episodes, in a space of its own, through the same way in as everybody's.

Each group shares some words, so that its members lie at a cosine of about 0.4 to each other and near 0 to everything
else: noise at a threshold of 0.65, a concept at 0.3. The oldest episodes are forgotten beyond a window, so that what
keeps growing is not episodes. The texts are texts, and their embeddings are made of them.
"""

from random import SystemRandom

from runbook.sandbox.embedding import Vector, embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.driver import Driver, Scribe

SPACE = "chaos-flood"
WINDOW = 1500
GROUPS_PER_SECOND = 45.0
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


class Flood(Driver):
    """The flood of one node.

    Args:
        engine: the node.
        groups_per_second: how many groups of three or four.
        window: episodes that are kept; the oldest are forgotten.
    """

    def __init__(self, engine: Engine, groups_per_second: float, window: int) -> None:
        super().__init__(engine)
        self._window = window
        self._rate = groups_per_second
        self._random = SystemRandom()
        self._scribe = Scribe(engine, SPACE, "flood")
        self._owed = 0.0

    async def prepare(self) -> None:
        """Make the space."""
        await self._scribe.open()

    async def step(self, seconds: float) -> None:
        """Write what is due, and forget what is beyond the window."""
        self._owed += self._rate * seconds
        groups, self._owed = int(self._owed), self._owed % 1.0
        if groups:
            await self._scribe.remember([note for _ in range(groups) for note in self._group()])
        ids = self._scribe.ids()
        if len(ids) > self._window:
            await self._scribe.forget(ids[: len(ids) - self._window])

    async def tidy(self) -> None:
        """Forget the episodes; the concepts that were made of them stay, and lead nowhere."""
        await self._scribe.tidy()

    def _group(self) -> list[tuple[str, Vector]]:
        shared = self._random.sample(_WORDS, _SHARED)
        return [self._note(shared) for _ in range(self._random.randint(3, 4))]

    def _note(self, shared: list[str]) -> tuple[str, Vector]:
        words = shared + self._random.sample(_WORDS, _OWN)
        self._random.shuffle(words)
        content = f"The {' and the '.join(', '.join(words[at : at + 4]) for at in range(0, len(words), 4))}."
        return content, embed(content)
