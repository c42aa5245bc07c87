"""Fixtures of the server's tests."""

from collections.abc import Iterator

import pytest
from peers import closed_port
from serving import Serving, configured, inventory_of, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for the tests of a file; its one node is dead, and diagnoses wait for longer than the tests last."""
    folder = tmp_path_factory.mktemp("served")
    inventory = inventory_of(folder, f"http://127.0.0.1:{closed_port()}")
    with serving(folder, configured(folder, inventory, serve='settle = "10m"')) as found:
        yield found
