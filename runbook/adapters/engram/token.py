"""The admin token, as all who talk to a node's admin side need it."""

from runbook.wire.token import authorization

__all__ = ["authorization"]
