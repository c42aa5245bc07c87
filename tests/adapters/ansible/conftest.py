"""The playbooks' collection is found beside the playbooks, as Ansible finds it; a fleet; a mark."""

import sys
import uuid
from collections.abc import Iterator

import pytest
from ansible_fleet import Fleet, running_fleet
from play_traces import HOSTS

from runbook.material import folder

sys.path.insert(0, str(folder("playbooks") / "collections"))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three living nodes."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), HOSTS) as running:
        yield running


@pytest.fixture
def mark() -> str:
    """One that no other play has."""
    return f"test-{uuid.uuid4()}"
