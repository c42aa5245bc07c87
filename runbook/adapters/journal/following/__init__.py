"""The journal followed: each line is read once, and pages, measurements and notifications come out of what is known."""

from runbook.adapters.journal.following.follower import Follower
from runbook.adapters.journal.following.found import Found, Seen

__all__ = ["Follower", "Found", "Seen"]
