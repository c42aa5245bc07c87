"""Seeded texts: the same seed and space always give the same texts, in the same order."""

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbook.sandbox.texts.topics import TOPICS, WORDS, Topic

FEWEST_SPACES, MOST_SPACES = 10, 20
"""How many spaces a node is given by itself: three nodes are enough for an A/B comparison of 30 and 30."""
_TEXTS = 30
"""A space with fewer texts has too few that are alike for concepts."""
TOPICS_PER_SPACE = 2
_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text for one space: its id there, and what it was made about."""

    space: str
    id: str
    content: str
    topic: str


def spaces_for(texts: int) -> int:
    """How many spaces a node with so many texts is given, where nobody says so."""
    return min(max(texts // _TEXTS, FEWEST_SPACES), MOST_SPACES)


def spaces_of(node: int, count: int = FEWEST_SPACES) -> tuple[str, ...]:
    """The spaces that live on the node of that index (from 0), where each has so many; no two nodes share one."""
    first = node * count + 1
    return tuple(f"tenant-{number:03d}" for number in range(first, first + count))


def topics_of(space: str) -> tuple[Topic, ...]:
    """What the people of a space write about; the same for every seed."""
    return tuple(random.Random(f"topics of {space}").sample(TOPICS, TOPICS_PER_SPACE))  # noqa: S311 - seeded on purpose


def texts_of(space: str, seed: int) -> Iterator[Text]:
    """The texts of a space, without end."""
    source = random.Random(f"{seed} {space}")  # noqa: S311 - the same texts each time is the point
    topics = topics_of(space)
    for number in itertools.count(1):
        topic = source.choice(topics)
        scene = source.choice(topic.scenes)
        content = _GAP.sub(lambda gap: source.choice(WORDS[gap[1]]), scene)
        yield Text(space, f"{space}-{seed}-{number}", content, topic.name)


def texts_for(spaces: Sequence[str], count: int, seed: int) -> Iterator[Text]:
    """The first `count` texts of a node with these spaces, which take turns."""
    streams = itertools.cycle([texts_of(space, seed) for space in spaces])
    return (next(stream) for stream in itertools.islice(streams, count))


def query_of(text: Text, source: random.Random) -> str:
    """A question that the text answers: some of its words, in their order."""
    words = text.content.rstrip(".").split()
    kept = sorted(source.sample(range(len(words)), min(len(words), 8)))
    return " ".join(words[index] for index in kept)
