"""One change of one setting of one node, as the journal tells it."""

from dataclasses import dataclass
from datetime import datetime

from runbook.model.settings import Value


@dataclass(frozen=True, slots=True)
class SettingChange:
    """Who changed what, where, when and why.

    `in_doubt`: the change was sent, or was about to be, and what came of it was never learnt. `put_back`: a failed run
    took back what it had done. `old` is None where the value before was not read.
    """

    at: datetime
    who: str
    run: str
    command: str
    target: str
    node: str
    key: str
    old: Value | None
    new: Value
    reason: str = ""
    put_back: bool = False
    in_doubt: bool = False
