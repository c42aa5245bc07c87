"""Receivers of notifications over HTTP, and how far each of them has been told."""

from runbook.adapters.notify.cursors import FileCursors
from runbook.adapters.notify.webhook import Webhook

__all__ = ["FileCursors", "Webhook"]
