"""A migration where something is wrong: it is put back, tried again, or left for a person, and never half served."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from migrate_scene import RUN, Scene

from runbook.adapters.archives.kept import KeptArchives
from runbook.engine.migrate.back import since_switch
from runbook.engine.migrate.preflight import Ready, check_disk, look
from runbook.engine.migrate.run import finalize, go_back, migrate, resume, work_on
from runbook.errors import (
    LockedError,
    NotSupportedError,
    PersonNeededError,
    RefusedError,
    StepFailedError,
    UnreachableError,
)
from runbook.model.generation import Remembered
from runbook.model.migration import Concepts
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan
from runbook.model.run import RunStatus
from runbook.sandbox import schema

MakeScene = Callable[[], Scene]
OTHER = "20261122T220000-bbbb"


def at(scene: Scene, call: str, act: Callable[[], None], *, times: int = 1) -> None:
    """Do that before the node does so, the first times that it is asked to."""
    left = [times]

    def before(name: str) -> None:
        if name == call and left[0]:
            left[0] -= 1
            act()

    scene.data.before = before


def tamper(scene: Scene, generation: str, statement: str) -> None:
    """Change the data of a generation behind the node's back."""
    connection = schema.connect(scene.engine.generations.path(generation))
    connection.execute(statement)
    connection.close()


def assert_as_it_was(scene: Scene, before: str) -> None:
    """The old data is served, writes are taken, and nothing is left behind."""
    assert scene.digest() == before
    assert "staging" not in scene.states().values()
    assert not scene.engine.memory.gate.seconds
    assert not (scene.folder / "work" / RUN).exists()


def thaw_and_write(scene: Scene, id_: str) -> None:
    """What happens where a freeze runs out too early."""
    scene.engine.memory.gate.open()
    scene.remember(id_, f"A text in between, {id_}")


def test_a_write_that_comes_between_is_carried_in_another_round(scene: Scene) -> None:
    """The node refuses the switch (412), so nothing is lost."""
    at(scene, "activate", lambda: thaw_and_write(scene, "between"))
    assert migrate(scene.context, scene.plan()).status is RunStatus.DONE
    assert "between" in scene.ids()


def test_a_node_that_is_written_to_in_every_freeze_is_left_as_it_was(scene: Scene) -> None:
    """It does not go on for ever."""
    numbers = iter(range(100))
    at(scene, "activate", lambda: thaw_and_write(scene, f"between{next(numbers)}"), times=100)
    with pytest.raises(StepFailedError, match="in each of 5 freezes"):
        migrate(scene.context, scene.plan())
    assert scene.run().status is RunStatus.UNDONE
    assert_as_it_was(scene, scene.digest())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM episode WHERE id = 'heron0'",
        "UPDATE episode SET content = 'other' WHERE id = 'heron0'",
        "DELETE FROM residue WHERE type = 'episode' AND id = 'heron0'",
    ],
)
def test_a_staging_generation_that_is_not_what_was_sent_is_dropped(scene: Scene, statement: str) -> None:
    """A record less, another text, residue that is missing: exit code 14, and the node is as it was."""
    before, plan = scene.digest(), scene.plan()

    def spoil() -> None:
        if "g2" in scene.engine.generations.pointer.states():
            tamper(scene, "g2", statement)

    at(scene, "export", spoil, times=3)
    with pytest.raises(StepFailedError, match=r"is not what was converted|damaged"):
        migrate(scene.context, plan)
    assert_as_it_was(scene, before)


def test_where_other_things_come_to_mind_after_the_switch_the_old_memory_is_served_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any write is taken, so nothing has to be carried back."""
    before, plan, asked = scene.digest(), scene.plan(), scene.data.recall

    def recall(space: str, embedding: Sequence[float], count: int, group: str = "") -> tuple[Remembered, ...]:
        found = asked(space, embedding, count)
        return () if scene.data.holdings().active.kind == SINGLE else found

    monkeypatch.setattr(scene.data, "recall", recall)
    with pytest.raises(StepFailedError, match=r"only 0% of what came to mind before .* and 0% of what is nearest"):
        migrate(scene.context, plan)
    assert_as_it_was(scene, before)


def test_a_memory_that_was_recalled_through_concepts_is_measured_by_what_is_nearest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other things come to mind than before, and they are the right ones: nothing is taken back."""
    plan, asked = scene.plan(), scene.data.recall

    def recall(space: str, embedding: Sequence[float], count: int) -> tuple[Remembered, ...]:
        found = asked(space, embedding, count)
        return found if scene.data.holdings().active.kind == SINGLE else (Remembered("elsewhere", 1.0),)

    monkeypatch.setattr(scene.data, "recall", recall)
    assert migrate(scene.context, plan).nodes["n1"].overlap == 0
    assert any("100% of what is nearest" in each for each in scene.talk.said)


def test_the_freeze_that_ran_out_while_recall_was_found_wanting_loses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written to the new generation comes along to the old one."""
    plan, asked = scene.plan(), scene.data.recall

    def recall(space: str, embedding: Sequence[float], count: int) -> tuple[Remembered, ...]:
        if scene.data.holdings().active.kind != SINGLE:
            return asked(space, embedding, count)
        if "between" not in scene.ids():
            thaw_and_write(scene, "between")
        return ()

    monkeypatch.setattr(scene.data, "recall", recall)
    with pytest.raises(StepFailedError, match="does not recall what it must"):
        migrate(scene.context, plan)
    assert scene.data.holdings().active.kind == DUAL
    assert "between" in scene.ids()
    assert scene.run().status is RunStatus.UNDONE


def test_what_cannot_even_be_put_back_needs_a_person(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 15; once the node lets itself be asked, undo does it."""
    before, plan = scene.digest(), scene.plan()
    at(scene, "export", lambda: tamper(scene, "g2", "DELETE FROM episode WHERE id = 'heron0'"))

    def refuses(generation: str) -> None:
        raise RefusedError(f"{generation} stays")

    with monkeypatch.context() as broken:
        broken.setattr(scene.data, "drop", refuses)
        with pytest.raises(PersonNeededError, match="could not be put back: g2 stays"):
            migrate(scene.context, plan)
    assert scene.run().status is RunStatus.PERSON_NEEDED
    assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED
    assert_as_it_was(scene, before)


def test_of_two_nodes_one_that_does_not_answer_is_partial_and_resumed(make_scene: MakeScene) -> None:
    """The other is migrated all the same; resuming does only what is left, undoing goes back on both."""
    first, second = make_scene(), make_scene()
    nodes = {"n1": first.data, "n2": second.data}
    context = replace(first.context, ports=replace(first.context.ports, data=nodes.__getitem__))
    plan = _both(first, second)
    before = first.digest(), second.digest()

    def away() -> None:
        raise UnreachableError("n2 does not answer")

    at(second, "fill", away)
    assert migrate(context, plan).status is RunStatus.PARTIAL
    assert (first.run().nodes["n2"].problem, first.data.holdings().active.kind) == ("n2 does not answer", SINGLE)
    assert second.digest() == before[1]
    assert resume(context, first.run()).status is RunStatus.DONE
    assert second.data.holdings().active.kind == SINGLE
    assert go_back(context, first.run()).status is RunStatus.REVERTED
    assert (first.digest(), second.digest()) == before


def _both(first: Scene, second: Scene) -> MigrationPlan:
    plan = first.plan()
    (other,) = second.plan().nodes
    return replace(plan, nodes=(*plan.nodes, replace(other, node="n2")))


def test_a_lost_lease_ends_it_before_its_next_change(scene: Scene) -> None:
    """Another run has the node now; once that has ended, this one is resumed."""
    plan = scene.plan()
    at(scene, "fill", lambda: scene.nodes.leases.update(n1=("eve", "other")))
    with pytest.raises(LockedError, match="lost to eve"):
        migrate(scene.context, plan)
    assert scene.data.holdings().active.kind == DUAL
    scene.nodes.leases.clear()
    assert resume(scene.context, scene.run()).status is RunStatus.DONE


def test_another_source_than_at_the_beginning_is_refused_on_resuming(scene: Scene) -> None:
    """Its SHA-256 is in the plan; the node is as it was."""
    plan, before = scene.plan(), scene.digest()

    def away() -> None:
        raise UnreachableError("n1 does not answer")

    at(scene, "fill", away)
    with pytest.raises(UnreachableError):
        migrate(scene.context, plan)
    scene.remember("late", "A late lark")
    Path(plan.nodes[0].source).write_bytes(scene.export())
    with pytest.raises(RefusedError, match="is another one than when the migration began"):
        resume(scene.context, scene.run())
    scene.forget("late")
    assert_as_it_was(scene, before)


def test_a_staging_generation_of_somebody_else_is_left_alone(scene: Scene) -> None:
    """It came between the plan and the filling: refused, and neither filled over nor dropped."""
    plan, archive = scene.plan(), scene.export()
    scene.engine.holdings.fill([archive])
    with pytest.raises(RefusedError, match="is not this run's"):
        migrate(scene.context, plan)
    assert scene.states() == {"g1": "active", "g2": "staging"}


def test_after_a_later_migration_there_is_no_way_back_to_before_the_first(scene: Scene) -> None:
    """The node keeps one generation only; the refusal changes nothing, in the journal neither."""
    migrate(scene.context, scene.plan())
    migrate(scene.context, scene.plan(DUAL, run=OTHER))
    before = scene.digest()
    with pytest.raises(RefusedError, match="does not keep the generation g1"):
        go_back(scene.context, scene.run())
    assert scene.run().status is RunStatus.DONE
    with pytest.raises(RefusedError, match="keeps nothing of run"):
        finalize(scene.context, scene.run())
    assert (scene.digest(), scene.states()) == (before, {"g3": "active", "g2": "kept"})


def test_concepts_that_were_kept_as_memories_are_concepts_again(scene: Scene) -> None:
    """Both ways back: by migrating, and by reverting; what was forgotten of them is gone as a concept too."""
    before, concepts = scene.digest(), _concepts(scene)
    assert concepts
    migrate(scene.context, scene.plan(concepts=Concepts.KEEP))
    assert concepts < scene.ids()
    migrate(scene.context, scene.plan(DUAL, run=OTHER))
    assert scene.digest() == before
    again = "20261122T230000-cccc"
    migrate(scene.context, scene.plan(concepts=Concepts.KEEP, run=again))
    gone = min(concepts)
    scene.forget(gone)
    assert since_switch(work_on(scene.context, scene.run(again), "n1")).gone == (gone,)
    go_back(scene.context, scene.run(again))
    assert _concepts(scene) == concepts - {gone}


def _concepts(scene: Scene) -> set[str]:
    return {each["id"] for each in scene.records() if each["type"] == "concept"}


def test_recalls_since_the_switch_do_not_touch_what_is_served_again(scene: Scene) -> None:
    """They change the memories' activation; before the switch nothing of that was."""
    before = scene.digest()
    migrate(scene.context, scene.plan())
    for text in ("heron0", "river1"):
        scene.recall(f"The {text[:-1]} number {text[-1]}")
    assert since_switch(work_on(scene.context, scene.run(), "n1")).written == 0
    go_back(scene.context, scene.run())
    assert scene.digest() == before


def test_what_serves_the_other_memory_already_is_refused(scene: Scene) -> None:
    """And what serves something that nobody knows is not supported."""
    migrate(scene.context, scene.plan())
    with pytest.raises(RefusedError, match="serves single memory already"):
        scene.plan()
    with pytest.raises(NotSupportedError, match="cannot be migrated"):
        look(scene.context, "n1", "other", DUAL)


def test_without_room_for_it_nothing_is_begun(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures are told; where the source has still to be written, its size is taken from the counts."""
    monkeypatch.setattr(KeptArchives, "free_bytes", lambda *_: 100_000)
    holdings = scene.data.holdings()
    for ready in (Ready(scene.plan().nodes[0], holdings, bytes=90_000), Ready(scene.plan().nodes[0], holdings)):
        with pytest.raises(RefusedError, match="0 MB are free on the disk of"):
            check_disk(scene.context, scene.folder, (ready,))
    check_disk(scene.context, scene.folder, (Ready(scene.plan().nodes[0], holdings, bytes=50_000),))


def test_a_clock_that_is_set_back_changes_nothing(scene: Scene) -> None:
    """Order is by sequence number and journal, never by the wall clock."""
    plan, ids = scene.plan(), scene.ids()
    at(scene, "add", lambda: scene.clock.set_wall(scene.clock.now() - timedelta(hours=1)))
    assert migrate(scene.context, plan).status is RunStatus.DONE
    assert scene.ids() == ids
    scene.clock.set_wall(scene.clock.now() - timedelta(hours=1))
    assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED
