"""The gate that only a watch has: did everybody tell how they are, and is no trigger building up? Pure."""

from collections.abc import Sequence

from runbook.engine.rollout.eyes import Rows, unheard
from runbook.engine.rollout.triggers import Asked, Reading
from runbook.model.answer import Answer
from runbook.model.gate import Gate


def heard(asked: Sequence[Asked], reading: Reading, found: Rows) -> Gate:
    """Nothing goes on by itself while a trigger is building up, or while somebody does not tell how they are."""
    bad = [each.title for each in asked if each.answer is Answer.YES]
    if bad:
        return Gate("triggers", Answer.NO, f"YES: {'; '.join(bad)}")
    quiet = [each.words for each in (*unheard(reading), *found.silent)]
    unsure = [each.title for each in asked if each.answer is Answer.UNKNOWN and not each.tripwire]
    if quiet or unsure:
        return Gate("triggers", Answer.UNKNOWN, f"not known: {'; '.join([*unsure, *quiet])}")
    return Gate("triggers", Answer.YES, f"{len(asked)} asked, none is YES")
