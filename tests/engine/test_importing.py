"""An import whose node or archive fails in the middle: what is served never changes, and nothing is guessed."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import whole_data
from embedded_data import EmbeddedData

from runbook.adapters.archives.held import strictly
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.archive.layout import Summary
from runbook.engine.importing import Deed, ImportPorts, activate, check_importable, drop_staging, stage
from runbook.errors import DamagedError, RefusedError, UnreachableError
from runbook.model.generation import State, WrittenSinceError
from runbook.sandbox.engine import Engine

DEED = Deed("r1", "prod", "test")
RECORDS = [whole_data.episode("ep-1"), whole_data.episode("ep-2")]
DUAL = whole_data.write("dual_memory", RECORDS)
SINGLE, RESIDUE = whole_data.converted(DUAL, "single_memory")


class Bytes:
    """An archive in memory."""

    def __init__(self, archive: bytes, name: str = "a.json") -> None:
        self.name = name
        self.archive = archive
        self.summary: Summary = strictly([archive], name)

    @contextmanager
    def chunks(self) -> Iterator[Iterator[bytes]]:
        yield (self.archive[start : start + 1000] for start in range(0, len(self.archive), 1000))


class Stage:
    """One node in this process, and the journal."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder)
        asyncio.run(self.engine.create_space(whole_data.SPACE))
        self.data = EmbeddedData(self.engine)
        self.journal = MemoryJournal(MemoryClock())
        self.ports = ImportPorts(self.data, self.journal, lambda chunks, name, _: strictly(chunks, name))

    def fail(self, method: str, error: BaseException) -> None:
        """Let that method fail; the others work."""

        def before(called: str) -> None:
            if called == method:
                raise error

        self.data.before = before

    def mend(self) -> None:
        """Nothing fails any more."""
        self.data.before = lambda _: None

    @property
    def states(self) -> dict[str, State]:
        """Of each generation."""
        self.mend()
        return {each.id: each.state for each in self.data.holdings().generations}

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was journaled."""
        return [(each.event.value, each.details["state"]) for each in self.journal.entries()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    """A fresh one."""
    found = Stage(tmp_path / "node")
    yield found
    found.engine.close()


ONLY_SERVED = {"g1": State.ACTIVE}
BROKEN = UnreachableError("node n1: the connection broke")


def test_the_intent_is_journaled_before_the_deed(scene: Stage) -> None:
    """Import and switch each twice; the details say what and why."""
    staged = stage(scene.ports, DEED, Bytes(DUAL))
    assert scene.told == [("data.imported", "intended"), ("data.imported", "done")]
    sequence = activate(scene.ports, DEED, staged.generation, scene.data.holdings().active.sequence)
    assert scene.told[2:] == [("data.activated", "intended"), ("data.activated", "done")]
    last = list(scene.journal.entries())[-1]
    assert last.details["sequence"] == sequence
    assert (last.run, last.details["reason"], last.details["node"]) == ("r1", "test", "n1")
    assert scene.states == {staged.generation: State.ACTIVE, "g1": State.KEPT}


@pytest.mark.parametrize("error", [BROKEN, KeyboardInterrupt()], ids=["cut", "Ctrl-C"])
@pytest.mark.parametrize("method", ["fill", "export"])
def test_an_import_that_fails_leaves_nothing(scene: Stage, method: str, error: BaseException) -> None:
    """Neither before it was filled nor before it was proven; the journal says that it failed."""
    scene.fail(method, error)
    with pytest.raises(type(error)):
        stage(scene.ports, DEED, Bytes(DUAL))
    assert scene.states == ONLY_SERVED
    assert scene.told[-1] == ("data.imported", "failed")


def test_a_file_that_changed_between_its_two_readings_is_dropped(scene: Stage) -> None:
    """Although both are whole archives."""
    source = Bytes(DUAL)
    source.archive = whole_data.write("dual_memory", RECORDS[:1])
    with pytest.raises(DamagedError, match="changed while it was read"):
        stage(scene.ports, DEED, source)
    assert scene.states == ONLY_SERVED


def test_a_node_that_gives_back_other_content_is_not_believed(scene: Stage) -> None:
    """Whatever it said about the import."""

    def other(_: Iterable[bytes], name: str, __: int) -> Summary:
        return strictly([whole_data.write("dual_memory", RECORDS[:1])], name)

    with pytest.raises(DamagedError, match="other content"):
        stage(ImportPorts(scene.data, scene.journal, other), DEED, Bytes(DUAL))
    assert scene.states == ONLY_SERVED


def test_one_that_is_there_already_is_used_again_where_it_holds_the_same(scene: Stage) -> None:
    """So an import that was killed behind the filling goes on; another archive is refused with the way out."""
    first = stage(scene.ports, DEED, Bytes(DUAL))
    assert not first.reused
    again = stage(scene.ports, DEED, Bytes(DUAL))
    assert (again.generation, again.reused) == (first.generation, True)
    for archive in (whole_data.write("dual_memory", RECORDS[:1]), SINGLE):
        with pytest.raises(RefusedError, match=first.generation) as refused:
            stage(scene.ports, DEED, Bytes(archive))
        assert "--drop" in refused.value.hint
    assert drop_staging(scene.ports, DEED) == first.generation
    assert scene.states == ONLY_SERVED
    assert scene.told[-2:] == [("data.imported", "intended"), ("data.imported", "dropped")]
    with pytest.raises(RefusedError, match="nothing to drop"):
        drop_staging(scene.ports, DEED)


def test_residue_goes_along_and_is_proven_too(scene: Stage) -> None:
    """Also where the first try was killed between data and residue; another residue is refused."""
    first = stage(scene.ports, DEED, Bytes(SINGLE))
    assert stage(scene.ports, DEED, Bytes(SINGLE), Bytes(RESIDUE)).generation == first.generation
    with scene.data.export("residue", generation=first.generation) as chunks:
        assert strictly(chunks, "it").digest == Bytes(RESIDUE).summary.digest
    assert stage(scene.ports, DEED, Bytes(SINGLE), Bytes(RESIDUE)).reused
    other = whole_data.converted(whole_data.write("dual_memory", RECORDS[:1]), "single_memory")[1]
    with pytest.raises(RefusedError, match="another residue"):
        stage(scene.ports, DEED, Bytes(SINGLE), Bytes(other))


def test_a_residue_that_cannot_be_added_takes_the_data_along(scene: Stage) -> None:
    """All of it, or nothing."""
    scene.fail("add", BROKEN)
    with pytest.raises(UnreachableError):
        stage(scene.ports, DEED, Bytes(SINGLE), Bytes(RESIDUE))
    assert scene.states == ONLY_SERVED


CHANGES = whole_data.write("dual_memory", RECORDS, since=1)


@pytest.mark.parametrize(
    ("archive", "residue", "said"),
    [
        (RESIDUE, None, "is residue"),
        (CHANGES, None, "only what changed after 1"),
        (DUAL, RESIDUE, "belongs to single_memory"),
        (SINGLE, DUAL, "no whole residue"),
    ],
)
def test_what_does_not_go_together_is_refused(archive: bytes, residue: bytes | None, said: str) -> None:
    """Before the node hears of it."""
    with pytest.raises(RefusedError, match=said):
        check_importable(Bytes(archive), None if residue is None else Bytes(residue))


def test_a_switch_that_comes_too_late_is_journaled_as_failed(scene: Stage) -> None:
    """The staging generation waits for another try."""
    staged = stage(scene.ports, DEED, Bytes(DUAL))
    with pytest.raises(WrittenSinceError):
        activate(scene.ports, DEED, staged.generation, 99)
    assert scene.told[-1] == ("data.activated", "failed")
    assert scene.states == {**ONLY_SERVED, staged.generation: State.STAGING}


def lost_answer(scene: Stage, *, done: bool, silent: bool) -> Callable[[str], None]:
    """The node breaks off in the switch, with or without having done it, and is perhaps away afterwards."""

    def before(method: str) -> None:
        if method == "activate":
            scene.mend()
            if done:
                staging = scene.data.holdings().of(State.STAGING)
                assert staging is not None
                scene.engine.activate(staging.id, scene.data.holdings().active.sequence)
            if silent:
                scene.fail("holdings", BROKEN)
            raise BROKEN

    return before


@pytest.mark.parametrize(
    ("done", "silent", "state"), [(True, False, "done"), (False, False, "failed"), (True, True, "unknown")]
)
def test_a_switch_whose_answer_is_lost_is_looked_for_on_the_node(
    scene: Stage, *, done: bool, silent: bool, state: str
) -> None:
    """It switched, or it did not, or nobody can say."""
    staged = stage(scene.ports, DEED, Bytes(DUAL))
    sequence = scene.data.holdings().active.sequence
    scene.data.before = lost_answer(scene, done=done, silent=silent)
    if state == "done":
        assert activate(scene.ports, DEED, staged.generation, sequence) >= sequence
    else:
        with pytest.raises(UnreachableError, match="not known" if silent else "g1 is still served"):
            activate(scene.ports, DEED, staged.generation, sequence)
    assert scene.told[-1] == ("data.activated", state)
    assert scene.states[staged.generation] is (State.ACTIVE if done else State.STAGING)


def test_a_switch_that_is_interrupted_is_not_called_failed(scene: Stage) -> None:
    """Ctrl-C while the node is asked: it may have switched, and the journal says that nobody knows."""
    staged = stage(scene.ports, DEED, Bytes(DUAL))
    scene.fail("activate", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        activate(scene.ports, DEED, staged.generation, 1)
    assert scene.told[-1] == ("data.activated", "unknown")
