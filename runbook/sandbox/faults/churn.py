"""Long notes about two matters that come, are bound to a concept, and are forgotten: everyday work, only faster.

With the cleanup of bindings they leave nothing behind. Without it each leaves its bindings, and with them itself. The
notes are long (a paste of a log, say), so that a few of them weigh: the node is to leak, not to be busy.
"""

import secrets

import numpy as np

from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.driver import Driver, Scribe, near
from runbook.sandbox.vectors import ROW_BYTES

SPACE = "chaos-churn"
RATE_MB = 0.8
MOST_MB = 600.0
_MATTERS = (
    "The nightly export of the warehouse failed, the whole log of the run is below",
    "A customer of the bakery sent the printout of the till for the audit",
)
_LETTERS = 60_000
_KEPT = 24
"""Notes that are bound and not forgotten yet; a merge needs some to go on."""


class Churn(Driver):
    """The notes of one node.

    Args:
        engine: the node.
        mb_per_second: how much is written.
        max_mb: nothing is written while forgotten notes hold that much.
    """

    def __init__(self, engine: Engine, mb_per_second: float, max_mb: float) -> None:
        super().__init__(engine)
        self._rate = mb_per_second * 1e6 / (_LETTERS + ROW_BYTES)
        self._most = max_mb * 1e6
        self._scribe = Scribe(engine, SPACE, "churn", engine.settings.tuning.concept_sample_rate)
        self._source = np.random.default_rng()
        self._bases = [embed(text) for text in _MATTERS]
        self._owed = 0.0
        self._matter = 0

    async def prepare(self) -> None:
        """Make the space."""
        await self._scribe.open()

    async def step(self, seconds: float) -> None:
        """Write what is due, then forget the oldest notes that consolidation is done with."""
        with self.engine.memory.lock:
            full = self._scribe.held.held_bytes >= self._most
        self._owed += 0.0 if full else self._rate * seconds
        due, self._owed = int(self._owed), self._owed % 1.0
        if due:
            await self._scribe.remember([self._note() for _ in range(due)])
        with self.engine.memory.lock:
            held = self._scribe.held
            done = [id_ for id_ in held.episodes if id_ not in held.pending]
        if len(done) > _KEPT:
            await self._scribe.forget(done[:-_KEPT])

    async def tidy(self) -> None:
        """Forget the notes; once their bindings are collected nothing is held."""
        await self._scribe.tidy()

    def _note(self) -> tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        self._matter = (self._matter + 1) % len(_MATTERS)
        text = f"{_MATTERS[self._matter]}: {secrets.token_hex(_LETTERS // 2)}"
        return text, near(self._bases[self._matter], self._source)
