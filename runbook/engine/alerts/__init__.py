"""Alerts: what they mean, which of them are new, and what may be done because of them. Pure."""

from runbook.engine.alerts.meaning import understood

__all__ = ["understood"]
