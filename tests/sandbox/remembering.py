"""An engine with the few moves that tests make."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

from runbook.sandbox.consolidation import PATIENCE, Cycle
from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Answer, Engine
from runbook.sandbox.graph import Cue
from runbook.sandbox.records import Episode, now

SPACE = "tenant-a"

ALIKE = (
    "The database server restarted after a disk failure",
    "After a disk failure the database server restarted twice",
    "A disk failure: the database server restarted again",
    "The database server restarted, a disk failure yesterday",
)
"""Four ways to say one thing: mean pairwise cosine well above 0.65."""

LOOSE = (
    "Copper kettle beside the window of the bakery kitchen",
    "Copper teapot beside the garden of the village kitchen",
    "Silver kettle under the window of the station kitchen",
    "Copper lantern above the window of the bakery cellar",
)
"""Four that share some words: clearly related, and clearly below 0.65."""


class Bench:
    """One engine. Ids are numbered, so that what is sampled is the same in every run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        self.engine = Engine(folder)
        asyncio.run(self.engine.create_space(SPACE))

    def reopen(self) -> None:
        """As a restart would."""
        self.engine.close()
        self.engine = Engine(self.folder)

    def close(self) -> None:
        self.engine.close()

    def set(self, **values: Any) -> None:
        """Change settings by the last part of their names."""
        self.engine.settings.change({f"dual_memory.{key}": value for key, value in values.items()}).result()

    def remember(self, *contents: str, prefix: str = "ep", space: str = SPACE) -> list[str]:
        """Remember the texts; their ids."""
        episodes = [
            Episode(
                space=space,
                id=f"{prefix}-{next(self._numbers):04d}",
                content=content,
                when=now(),
                embedding=embed(content).tobytes(),
                created_at=now(),
            )
            for content in contents
        ]
        assert all(self.engine.memory.remember(episodes).result())
        return [episode.id for episode in episodes]

    def forget(self, *ids: str) -> dict[str, int]:
        return self.engine.memory.forget(SPACE, list(ids)).result()

    def recall(self, query: str, *, count: int = 10, observe: bool = True) -> Answer:
        found = self.engine.recall(SPACE, Cue(embed(query), count, observe=observe))
        if observe:
            self.engine.recall_answered(SPACE, found, found.seconds)
        return found

    def settle(self) -> list[Cycle]:
        """Cycles until nothing is pending; it takes no more than the patience."""
        cycles = []
        while self.engine.consolidation.pending():
            cycles.append(self.engine.consolidate())
            assert len(cycles) <= PATIENCE
        return cycles

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        found: list[tuple[Any, ...]] = self.engine.store.reader.execute(statement).fetchall()
        return found
