"""Fixtures of the engine's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from migrate_scene import Scene, given


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    """Nodes with everything that a migration of them needs; all are closed at the end."""
    made: list[Scene] = []

    def make() -> Scene:
        folder = tmp_path / f"scene{len(made)}"
        folder.mkdir()
        scene = Scene(folder, given(folder / "node"))
        made.append(scene)
        return scene

    yield make
    for scene in made:
        scene.engine.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    """One node with 24 texts and what consolidation made of them."""
    return make_scene()
