"""The access logs of splitters: read on their hosts by a play, or a file that is here."""

from runbook.adapters.access.documents import access_log
from runbook.adapters.access.files import count_file

__all__ = ["access_log", "count_file"]
