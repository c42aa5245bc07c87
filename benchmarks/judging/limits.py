"""What ours promises, and whether the runs bear it out."""

import math
from dataclasses import dataclass

CLAIM = 2000
"""From so many runs on a share is held to its limit as it is; below, two standard errors are allowed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A share of the runs, and what it must not exceed (`most`) or fall short of.

    `exact` is for a test that errs in 5 % of all cases by construction: half of all benches count a little more than
    5 % of it, so two standard errors are allowed however many runs there are.
    """

    what: str
    share: float
    bound: float
    runs: int
    most: bool = True
    exact: bool = False

    @property
    def slack(self) -> float:
        """Two standard errors of a share that is at the bound."""
        strict = self.runs >= CLAIM and not self.exact
        return 0.0 if strict else 2 * math.sqrt(self.bound * (1 - self.bound) / self.runs)

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
        slack = f" (+- {self.slack:.1%}, two standard errors{' of an exact test' * self.exact})" if self.slack else ""
        return f"{self.what}: {self.share:.1%} {side} {self.bound:.0%}{slack}: {'within' if self.kept else 'OUT'}"
