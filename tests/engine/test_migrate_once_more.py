"""A migration that is gone about a second time: after it was put back, on the way back, at its very end."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from fleet_in_memory import CrashError
from migrate_scene import Scene
from test_migrate_failing import at

from runbook.adapters.archives.kept import KeptArchives
from runbook.engine.migrate.preflight import check_disk, from_itself
from runbook.engine.migrate.run import finalize, go_back, migrate, resume
from runbook.engine.migrate.work import Context
from runbook.errors import RefusedError, StepFailedError, UnreachableError
from runbook.model.generation import Remembered
from runbook.model.migration_run import SINGLE, MigrationPlan
from runbook.model.run import RunStatus

MakeScene = Callable[[], Scene]


@pytest.fixture
def two(make_scene: MakeScene) -> tuple[Scene, Scene, Context, MigrationPlan]:
    """Two nodes, and a migration of both."""
    first, second = make_scene(), make_scene()
    nodes = {"n1": first.data, "n2": second.data}
    plan = first.plan()
    other = replace(second.plan().nodes[0], node="n2")
    context = replace(first.context, ports=replace(first.context.ports, data=nodes.__getitem__))
    return first, second, context, replace(plan, nodes=(*plan.nodes, other))


def broken() -> None:
    """As what fails for good."""
    raise StepFailedError("n2 broke")


def away() -> None:
    """As what may be over by the next try."""
    raise UnreachableError("n2 is away")


def test_a_node_that_was_put_back_and_resumed_can_be_taken_back(
    two: tuple[Scene, Scene, Context, MigrationPlan],
) -> None:
    """That it had been put back once is not taken for where it stands."""
    first, second, context, plan = two
    before = first.digest(), second.digest()
    at(second, "fill", broken)
    assert migrate(context, plan).status is RunStatus.PARTIAL
    run = resume(context, first.run())
    assert (run.status, run.nodes["n2"].whole) == (RunStatus.DONE, True)
    assert second.data.holdings().active.kind == SINGLE
    assert go_back(context, run).status is RunStatus.REVERTED
    assert (first.digest(), second.digest()) == before


def test_nothing_is_finalized_where_one_node_is_not_migrated(
    two: tuple[Scene, Scene, Context, MigrationPlan],
) -> None:
    """What the other one keeps is not dropped either; once both are migrated, both let go of it."""
    first, second, context, plan = two
    at(second, "fill", away)
    assert migrate(context, plan).status is RunStatus.PARTIAL
    with pytest.raises(RefusedError, match="n2 keeps nothing of run"):
        finalize(context, first.run())
    assert first.states() == {"g2": "active", "g1": "kept"}
    assert not first.run().finalized
    resume(context, first.run())
    at(second, "drop", away)
    with pytest.raises(UnreachableError):
        finalize(context, first.run())
    assert (first.states(), second.states()) == ({"g2": "active"}, {"g2": "active", "g1": "kept"})
    assert finalize(context, first.run()).finalized
    assert second.states() == {"g2": "active"}


def test_what_is_forgotten_and_written_again_on_the_way_back_is_there(scene: Scene) -> None:
    """An earlier round has carried that it was forgotten; what is only recalled stays as it was before."""
    migrate(scene.context, scene.plan())
    scene.forget("heron0")

    def meanwhile() -> None:
        scene.remember("heron0", "The heron number 0")
        scene.recall("The river number 1")

    scene.recall("The river number 1")
    at(scene, "freeze", meanwhile)
    assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED
    found = {each["id"]: each for each in scene.records() if each["type"] == "episode"}
    assert found["heron0"]["where"] is None
    assert found["river1"]["where"] == "here"


def test_what_is_written_again_after_a_freeze_that_ran_out_is_there_too(scene: Scene) -> None:
    """The round in the freeze has carried that it was forgotten, and the switch back was refused."""
    migrate(scene.context, scene.plan())

    def thawed() -> None:
        scene.engine.memory.gate.open()
        scene.remember("heron0", "The heron number 0")

    at(scene, "freeze", lambda: scene.forget("heron0"))
    at_first = scene.data.before

    def before(name: str) -> None:
        at_first(name)
        if name == "activate" and "heron0" not in scene.ids():
            thawed()

    scene.data.before = before
    assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED
    assert "heron0" in scene.ids()


def test_killed_after_too_little_came_to_mind_it_is_put_back_on_resuming(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison was journaled, the old generation not served again yet."""
    before, plan, asked = scene.digest(), scene.plan(), scene.data.recall

    def recall(space: str, embedding: Sequence[float], count: int) -> tuple[Remembered, ...]:
        found = asked(space, embedding, count)
        return () if scene.data.holdings().active.kind == SINGLE else found

    def killed() -> None:
        if scene.data.holdings().active.kind == SINGLE:
            raise CrashError

    monkeypatch.setattr(scene.data, "recall", recall)
    at(scene, "activate", killed, times=2)
    with pytest.raises(CrashError):
        migrate(scene.context, plan)
    assert scene.data.holdings().active.kind == SINGLE
    with pytest.raises(StepFailedError, match="only 0% of what came to mind"):
        resume(scene.context, scene.run())
    assert scene.run().status is RunStatus.UNDONE
    assert scene.digest() == before


def test_of_several_nodes_each_backup_counts_and_each_work_folder_goes(
    two: tuple[Scene, Scene, Context, MigrationPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is made on the way only one node's lies there at a time."""
    first, second, context, plan = two
    seen: list[list[str]] = []
    at(second, "unfreeze", lambda: seen.append(sorted(path.name for path in (first.folder / "work").glob("*/*"))))
    assert migrate(context, plan).status is RunStatus.DONE
    assert seen == [["n2"]]
    ready = from_itself("n1", first.folder / "own.json", first.data.holdings())
    one = 5_000 * ready.holdings.active.counts["episode"]
    monkeypatch.setattr(KeptArchives, "free_bytes", lambda *_: 4 * one)
    check_disk(context, first.folder, (ready, ready))
    with pytest.raises(RefusedError, match="MB of backups"):
        check_disk(context, first.folder, (ready, ready, ready))
