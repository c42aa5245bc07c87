"""A disk that refuses in the middle of a switch: what is acknowledged is served after a restart, whichever that is."""

import errno
from pathlib import Path

import pytest
from whole_data import SPACE, episode, write

from runbook.errors import StorageError
from runbook.sandbox import generations, store
from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.records import Episode

NEW = write("dual_memory", [episode("a")])


def ready(folder: Path) -> Engine:
    """A node with a staging generation, g2."""
    engine = Engine(folder)
    engine.memory.create_space(SPACE).result()
    assert engine.holdings.fill([NEW])[0] == "g2"
    return engine


def remember(engine: Engine, id_: str) -> None:
    """Durably, or StorageError."""
    engine.memory.remember([Episode(SPACE, id_, id_, 1, embed(id_).tobytes(), 1)]).result()


def refused(*_: object) -> None:
    """As a disk that is failing."""
    raise OSError(errno.EIO, "Input/output error")


def test_after_a_switch_that_may_not_be_durable_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one is named, the old one is still served: a write there would be gone after a restart."""
    engine = ready(tmp_path / "node")
    with monkeypatch.context() as broken:
        broken.setattr(generations, "sync_folder", refused)
        with pytest.raises(StorageError, match="cannot write"):
            engine.activate("g2", engine.store.sequence)
    with pytest.raises(StorageError, match="cannot write") as error:
        remember(engine, "late")
    assert error.value.hint == "nothing was stored; restart the node"
    engine.close()
    again = Engine(tmp_path / "node")
    assert set(again.memory.spaces[SPACE].episodes) == {"a"}
    remember(again, "later")
    again.close()


def test_a_generation_that_cannot_be_opened_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one is served, and takes writes that are there after a restart."""
    engine = ready(tmp_path / "node")
    with monkeypatch.context() as broken:
        broken.setattr(store, "_opened", lambda _: (_ for _ in ()).throw(StorageError("no room")))
        with pytest.raises(StorageError, match="no room"):
            engine.activate("g2", engine.store.sequence)
    remember(engine, "late")
    engine.close()
    again = Engine(tmp_path / "node")
    assert set(again.memory.spaces[SPACE].episodes) == {"late"}
    again.close()
