"""A file that is here, counted by the very same code that a splitter's host runs."""

import math
from pathlib import Path

from runbook.adapters.access.documents import access_log
from runbook.errors import UsageError
from runbook.material import plugin
from runbook.model.access import AccessLog


def count_file(path: Path, since: float | None, until: float | None) -> AccessLog:
    """The file, and what was rotated away from it, between two moments (seconds since 1970; None: all of it).

    Raises:
        UsageError: it cannot be read.
    """
    reader = plugin("module_utils/access_log")
    try:
        counted = reader.count(path, -math.inf if since is None else since, math.inf if until is None else until)
    except reader.LogError as error:
        raise UsageError(str(error), hint="--access-log FILE") from None
    return access_log(str(path), counted.document())
