"""What follows from the checks, by the written rule. Pure."""

from collections.abc import Sequence

from runbook.model.validation import Checked, Outcome, Recommendation
from runbook.model.validation_limits import (
    CHECKS,
    FAIL_RULE,
    PASS_RULE,
    ROLL_BACK_RULE,
    UNKNOWN_RULE,
    Rule,
)


def recommend(checks: Sequence[Checked]) -> tuple[Recommendation, str]:
    """The recommendation, and the rule with the checks that it follows from."""
    hurts = {kind.name for kind in CHECKS if kind.hurts}
    failed = [each.name for each in checks if each.outcome is Outcome.FAIL]
    unknown = [each.name for each in checks if each.outcome is Outcome.UNKNOWN]
    if hurting := [name for name in failed if name in hurts]:
        return _by(ROLL_BACK_RULE, hurting)
    if failed:
        return _by(FAIL_RULE, failed)
    if unknown or {each.name for each in checks} != {kind.name for kind in CHECKS}:
        return _by(UNKNOWN_RULE, unknown or ["not every check was made"])
    return PASS_RULE.then, PASS_RULE.when


def _by(rule: Rule, names: Sequence[str]) -> tuple[Recommendation, str]:
    return rule.then, f"{rule.when}: {', '.join(names)}"
