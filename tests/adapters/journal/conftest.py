from pathlib import Path

import pytest

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder, not made yet."""
    return tmp_path / "state"


@pytest.fixture
def journal(folder: Path) -> FileJournal:
    """A journal to be begun."""
    return FileJournal(folder, SystemClock(), "anna", "bastion")


@pytest.fixture
def written(journal: FileJournal) -> FileJournal:
    """A journal of three entries."""
    journal.append(Event.RUN_STARTED, "run-1", {"reason": "demo"})
    journal.append(Event.STEP_INTENT, "run-1", {"step": 1, "old": 0.1, "new": 0.05})
    journal.append(Event.RUN_ENDED, "run-1", {})
    return journal
