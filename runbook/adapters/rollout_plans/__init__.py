"""Rollout plans as YAML files: read strictly, each fault with its line; written so that they read back."""

from runbook.adapters.rollout_plans.reading import read_plan
from runbook.adapters.rollout_plans.writing import plan_yaml

__all__ = ["plan_yaml", "read_plan"]
