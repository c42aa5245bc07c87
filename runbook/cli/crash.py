"""Keep the traceback of a bug in a file, so that the person on call sees one line and the developers see it all."""

import os
import tempfile
import traceback
from pathlib import Path

from runbook.errors import RunbookError


def keep_traceback() -> RunbookError:
    """Write the traceback of the exception being handled; what to tell. Falls back to stderr when no disk takes it."""
    text = traceback.format_exc()
    last = text.strip().splitlines()[-1]
    try:
        number, name = tempfile.mkstemp(prefix="runbook-bug-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return RunbookError(f"this is a bug: {last}", hint=text)
    return RunbookError(f"this is a bug: {last}", hint=f"please report it with {Path(name)}")
