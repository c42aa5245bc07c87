"""An alert together with the condition that it asks: what rules, their tests and their page are made of."""

from dataclasses import dataclass

from runbook.model.monitoring import AlertRule
from runbook.model.quantity import Condition


@dataclass(frozen=True, slots=True)
class Asks:
    """`holds`: the alert fires where the condition is NO.

    `plan` and `phase` are the plan, and one of its phases, that it is asked in; empty: always.
    """

    alert: AlertRule
    condition: Condition
    holds: bool = False
    plan: str = ""
    phase: str = ""
