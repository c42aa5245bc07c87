"""Fixtures of the engine's tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from migrate_scene import Scene, given

from runbook.sandbox.engine import Engine


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a node that has 24 texts, and what consolidation made of them: concepts have random ids."""
    folder = tmp_path_factory.mktemp("given") / "node"
    given(folder).close()
    return folder


@pytest.fixture
def make_scene(tmp_path: Path, node_folder: Path) -> Iterator[Callable[[], Scene]]:
    """Nodes with the same data, and everything that a migration of them needs; all are closed at the end."""
    made: list[Scene] = []

    def make() -> Scene:
        folder = tmp_path / f"scene{len(made)}"
        shutil.copytree(node_folder, folder / "node")
        scene = Scene(folder, Engine(folder / "node"))
        made.append(scene)
        return scene

    yield make
    for scene in made:
        scene.engine.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    """One of them."""
    return make_scene()
