"""YES, NO or UNKNOWN: what a question put to a system can be answered with.

Silence is never NO and never zero, so the answers combine by Kleene's strong three-valued logic
(S. C. Kleene, Introduction to Metamathematics, 1952, section 64).
"""

from collections.abc import Iterable
from enum import StrEnum


class Answer(StrEnum):
    """The answer to one question."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


def all_of(answers: Iterable[Answer]) -> Answer:
    """Kleene's AND: one NO settles it; of nothing at all nothing is known."""
    seen = set(answers)
    if Answer.NO in seen:
        return Answer.NO
    if Answer.UNKNOWN in seen or not seen:
        return Answer.UNKNOWN
    return Answer.YES


def any_of(answers: Iterable[Answer]) -> Answer:
    """Kleene's OR: one YES settles it; of nothing at all nothing is known."""
    seen = set(answers)
    if Answer.YES in seen:
        return Answer.YES
    if Answer.UNKNOWN in seen or not seen:
        return Answer.UNKNOWN
    return Answer.NO
