"""What ours promises, and whether the runs bear it out."""

import math
from dataclasses import dataclass

CLAIM = 2000
"""From so many runs on a share is held to its limit as it is; below, two standard errors are allowed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A share of the runs, and what it must not exceed (`most`) or fall short of."""

    what: str
    share: float
    bound: float
    runs: int
    most: bool = True

    @property
    def slack(self) -> float:
        """Two standard errors of a share that is at the bound."""
        return 0.0 if self.runs >= CLAIM else 2 * math.sqrt(self.bound * (1 - self.bound) / self.runs)

    @property
    def kept(self) -> bool:
        """Is it within?"""
        if self.most:
            return self.share <= self.bound + self.slack
        return self.share >= self.bound - self.slack

    @property
    def sentence(self) -> str:
        """One line of the table."""
        side = "<=" if self.most else ">="
        slack = f" (+- {self.slack:.1%}: two standard errors of {self.runs} runs)" if self.slack else ""
        return f"{self.what}: {self.share:.1%} {side} {self.bound:.0%}{slack}: {'within' if self.kept else 'OUT'}"
