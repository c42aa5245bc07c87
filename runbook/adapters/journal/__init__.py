"""The audit log: JSON Lines, each line chained to the one before, the end under a seal (docs/reference/journal.md)."""

from runbook.adapters.journal.file import FileJournal
from runbook.adapters.journal.identity import invoking_user, machine

__all__ = ["FileJournal", "invoking_user", "machine"]
