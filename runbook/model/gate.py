"""A gate of a rollout: one condition for going on, its answer, and the sum behind it."""

from collections.abc import Iterable
from dataclasses import dataclass

from runbook.model.answer import Answer, all_of


@dataclass(frozen=True, slots=True)
class Gate:
    """YES is open, NO is shut, UNKNOWN holds too. `to_do` says what a person can do about it."""

    name: str
    answer: Answer
    arithmetic: str
    to_do: str = ""

    @property
    def open(self) -> bool:
        """Does it let the rollout through?"""
        return self.answer is Answer.YES


def together(gates: Iterable[Gate]) -> Answer:
    """All of them: NO where one is shut, else UNKNOWN where one is not known; of none at all nothing is known."""
    return all_of(gate.answer for gate in gates)
