"""The plan that was asked for, by name or as a file."""

from importlib import import_module

from runbook.model.rollout import RolloutPlan


def chosen(plan: str) -> RolloutPlan:
    """That plan."""
    found: RolloutPlan = import_module(f"runbook.rollouts.{plan.replace('-', '_')}").PLAN
    return found
