"""The migrations, found as the product finds them."""

import pytest

from runbook.material import migration
from runbook.model.migration import Migration


@pytest.fixture(scope="session")
def to_single() -> Migration:
    """Dual memory to single memory."""
    return migration("single_memory")


@pytest.fixture(scope="session")
def to_dual() -> Migration:
    """And back."""
    return migration("dual_memory")
