"""Backups and restores of a node that fails at every call: a name is absent or whole, what is served stays served."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from embedded_data import EmbeddedData
from vault_scene import VaultScene

from runbook.engine.backup.create import writing
from runbook.engine.backup.proof import prove
from runbook.engine.backup.verify import Failed, up_to_level_3, verify_each
from runbook.errors import (
    DamagedError,
    ExitCode,
    LockedError,
    RefusedError,
    StepFailedError,
    StorageError,
    UnreachableError,
)
from runbook.model.generation import Taken
from runbook.ports import DataNode
from runbook.sandbox.engine import Engine


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[VaultScene]:
    """A node with 24 texts, and no backup yet."""
    found = VaultScene(tmp_path)
    yield found
    found.engine.close()


class Broken(EmbeddedData):
    """Its exports end early: cut off with an error, or without a word."""

    def __init__(self, engine: Engine, error: Exception | None) -> None:
        super().__init__(engine)
        self.error = error

    @contextmanager
    def export(self, kind: str, *, since: int | None = None, generation: str = "") -> Iterator[Iterator[bytes]]:
        with super().export(kind, since=since, generation=generation) as chunks:
            yield self._cut(b"".join(chunks))

    def _cut(self, data: bytes) -> Iterator[bytes]:
        yield data[: len(data) // 2]
        if self.error is not None:
            raise self.error


class Forgetful(EmbeddedData):
    """Takes in less than it was sent."""

    def fill(self, chunks: object) -> Taken:
        taken = super().fill(chunks)  # type: ignore[arg-type]  # passed on as it is
        gone = next(iter(self.engine.memory.spaces["tenant-a"].episodes))
        path = self.engine.holdings.origin(taken.generation).path
        import sqlite3  # noqa: PLC0415 - for this one lie

        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM binding WHERE episode_id = ?", (gone,))
            connection.execute("DELETE FROM episode WHERE id = ?", (gone,))
        connection.close()
        return taken


@pytest.mark.parametrize("error", [None, UnreachableError("the connection broke")])
def test_a_stream_that_ends_in_the_middle(scene: VaultScene, error: Exception | None) -> None:
    """No backup, and nothing that is left of one; the earlier one is there."""
    first = scene.name()
    scene.remember("new", "a new text")
    with pytest.raises(UnreachableError if error else DamagedError):
        scene.create(Broken(scene.engine, error))
    assert [each.name for each in scene.vault.shelf()] == [first]
    assert sorted(path.name for path in scene.vault.folder.iterdir()) == [".known", first]


def test_every_call_of_a_restore_may_fail(scene: VaultScene) -> None:
    """At each in turn: what is served is as it was, nothing waits, and the same again succeeds in the end."""
    name = scene.name()
    scene.remember("late", "written after the backup")
    scene.forget(min(scene.ids()))
    before = scene.served()
    failed = []
    for number in range(100):
        calls = 0

        def cut(method: str, number: int = number) -> None:
            nonlocal calls
            calls += 1
            if calls == number + 1 and method != "unfreeze":
                failed.append(method)
                raise UnreachableError(f"cut off at {method}")

        scene.node.before = cut
        try:
            scene.restore(name, activate=True)
        except UnreachableError:
            scene.node.before = lambda _: None
            assert scene.served() == before
            assert "staging" not in scene.states()
        else:
            if calls <= number:
                break
    assert {"holdings", "export", "fill", "freeze", "activate"} <= set(failed)
    assert "late" not in scene.ids()


def test_damage_is_told_although_nobody_can_write_it_down(scene: VaultScene) -> None:
    """Neither beside the backups nor in the journal: the disk is full, and still the answer is damage."""
    name = scene.name()
    (scene.vault.folder / name / "records-00000.ndjson.zst").unlink()
    known = scene.vault.folder / ".known"
    known.rename(scene.folder / "aside")
    known.touch()

    def full(*_: object) -> None:
        raise StorageError("no space is left")

    scene.journal.append = full  # type: ignore[method-assign, assignment]  # the disk does so
    (failed,) = verify_each(scene.ports, [name], up_to_level_3(scene.ports, 2, ()), "r3")
    assert isinstance(failed, Failed)
    assert failed.error.code == ExitCode.DAMAGED


def test_an_answer_that_was_lost(scene: VaultScene) -> None:
    """The switch was made, and nobody was told: the node itself says so."""
    name = scene.name()
    scene.remember("late", "written after the backup")
    real = scene.node.activate

    def lost(generation: str, if_sequence: int) -> int:
        real(generation, if_sequence)
        raise UnreachableError("the connection broke")

    scene.node.activate = lost  # type: ignore[method-assign]  # the network does so
    assert scene.restore(name, activate=True).sequence is not None
    assert "late" not in scene.ids()


def test_a_node_that_is_gone_after_the_switch(scene: VaultScene) -> None:
    """It was asked to switch, and says nothing any more: the journal does not call that failed."""
    name = scene.name()
    asked = False

    def gone(method: str) -> None:
        nonlocal asked
        asked = asked or method == "activate"
        if asked:
            raise UnreachableError("the connection broke")

    scene.node.before = gone
    with pytest.raises(UnreachableError, match="whether it switched is not known"):
        scene.restore(name, activate=True)
    assert list(scene.journal.entries())[-1].details["state"] == "unknown"


def test_what_is_forgotten_while_it_is_restored(scene: VaultScene) -> None:
    """Between the filling and the freeze: it is carried over before the switch."""
    name = scene.name()
    victim = min(scene.ids())
    done = False

    def forget(method: str) -> None:
        nonlocal done
        if method == "freeze" and not done:
            done = True
            scene.forget(victim)

    scene.node.before = forget
    assert scene.restore(name, activate=True).held_back == {}
    assert victim not in scene.ids()


def test_a_node_that_lies(scene: VaultScene) -> None:
    """What it gives back is compared with what it was sent; then nothing is switched, and nothing is left."""
    name = scene.name()
    before = scene.served()
    with pytest.raises(StepFailedError, match="other dual_memory than it was sent"):
        scene.restore(name, Forgetful(scene.engine), activate=True)
    assert (scene.served(), scene.states()) == (before, ["active"])
    assert [state for _, state in scene.told()][-2:] == ["intended", "failed"]


def test_level_4_finds_a_node_that_lies(scene: VaultScene, tmp_path: Path) -> None:
    """The scratch node must give back all of it."""
    name = scene.name()
    engine = Engine(tmp_path / "scratch")

    @contextmanager
    def scratch(size: int) -> Iterator[DataNode]:
        assert size > 0
        engine.memory.spaces["tenant-a"] = scene.engine.memory.spaces["tenant-a"]
        yield Forgetful(engine)

    with pytest.raises(DamagedError, match="gave back other"):
        prove(scene.ports, name, (), scratch)
    engine.close()


def test_a_node_that_went_back_in_time(scene: VaultScene, tmp_path: Path) -> None:
    """Its disk was put back to an earlier state: it does not know what was forgotten after that."""
    import shutil  # noqa: PLC0415 - only here

    scene.engine.close()
    shutil.copytree(tmp_path / "node", tmp_path / "copy")
    scene.engine = scene.node.engine = Engine(tmp_path / "node")
    scene.remember("late", "written later")
    name = scene.name()
    scene.engine.close()
    scene.engine = scene.node.engine = Engine(tmp_path / "copy")
    with pytest.raises(RefusedError, match="its history is another one"):
        scene.restore(name)
    assert scene.restore(name, other_node=True).outlook.unknown


def test_records_and_residue_of_two_moments(scene: VaultScene) -> None:
    """A node that is written to between the two streams, every time: the backup says that it is fuzzy."""
    from whole_data import converted  # noqa: PLC0415 - only here

    memories, residue = converted(scene.served(), "single_memory", None)
    generation = scene.node.fill([memories]).generation
    scene.node.add(generation, [residue])
    scene.node.activate(generation, scene.node.holdings().active.sequence)
    assert scene.create().proof.backup.consistency == "snapshot"
    number = 0

    def write(method: str) -> None:
        nonlocal number
        if method == "export":
            number += 1
            scene.remember(f"late_{number}", f"text {number} in between")

    scene.remember("late", "the first text since")
    scene.node.before = write
    assert scene.create().proof.backup.consistency == "fuzzy"


def test_whoever_waits_goes_on(scene: VaultScene) -> None:
    """Told once who holds the lock; without waiting it is an error."""
    with scene.ports.locks.hold("backups", "r0"):
        with pytest.raises(LockedError, match="r0"), writing(scene.ports, "r1", wait=False):
            pass
        naps: list[float] = []

        def nap(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                raise KeyboardInterrupt

        scene.clock.sleep = nap  # type: ignore[method-assign]  # nobody lets go of it here
        with pytest.raises(KeyboardInterrupt), writing(scene.ports, "r1", wait=True):
            pass
    with writing(scene.ports, "r1", wait=True):
        pass
