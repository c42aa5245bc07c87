"""The safety rails of a target in one line."""

from runbook.model.duration import in_words
from runbook.model.rails import Rails
from runbook.model.risk import Risk


def rails_text(rails: Rails) -> str:
    """Those that hold something up; `none` where nothing is held up."""
    said = (
        ("a reason is needed", rails.require_reason),
        (f"{rails.max_hosts_per_run} nodes a run", rails.max_hosts_per_run is not None),
        (f"{rails.max_steps_per_hour} steps an hour", rails.max_steps_per_hour is not None),
        (f"risk up to {rails.allowed_risk.name.lower()}", rails.allowed_risk < Risk.DISRUPTIVE),
        (_approval(rails), rails.require_approval is not None),
        (f"rests {in_words(rails.cool_down)} after a rollback", bool(rails.cool_down)),
    )
    return "; ".join(text for text, holds in said if holds) or "none"


def _approval(rails: Rails) -> str:
    risk = "" if rails.require_approval is None else rails.require_approval.name.lower()
    return f"a second person from risk {risk} on, within {in_words(rails.approval_expires)}"
