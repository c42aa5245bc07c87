"""An engine without its HTTP front and without background work: every step is taken by the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from remembering import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One engine on a fresh folder, reopened at will."""
    found = Bench(tmp_path / "engine")
    yield found
    found.close()
