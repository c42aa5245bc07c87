"""A migration over ports: a real node in this process, real files, and a journal in memory."""

from migrate_scene import RUN, Scene

from runbook.engine.migrate.run import go_back, migrate
from runbook.model.migration_run import DUAL, SINGLE
from runbook.model.run import RunStatus

BACK = "20261122T220000-bbbb"


def test_there_and_back_without_writes_is_the_identity(scene: Scene) -> None:
    """Dual to single to dual: the same content digest, and every text is there in between."""
    before, ids = scene.digest(), scene.ids()
    assert migrate(scene.context, scene.plan()).status is RunStatus.DONE
    assert scene.data.holdings().active.kind == SINGLE
    assert scene.ids() == ids
    assert migrate(scene.context, scene.plan(DUAL, run=BACK)).status is RunStatus.DONE
    assert scene.digest() == before
    assert scene.states() == {"g3": "active", "g2": "kept"}


def test_what_is_written_after_the_backup_is_carried_too(scene: Scene) -> None:
    """Texts and forgotten ones, as deltas."""
    plan = scene.plan()
    scene.remember("late", "A late lark")
    scene.remember("later", "A later lark")
    scene.forget("heron0")
    ids = scene.ids()
    run = migrate(scene.context, plan)
    assert run.status is RunStatus.DONE
    assert scene.ids() == ids
    assert run.nodes["n1"].records == len(ids)
    assert run.nodes["n1"].refused_ms is not None
    assert not scene.engine.memory.gate.seconds


def test_reverted_it_is_exactly_what_it_was_with_what_was_written_since(scene: Scene) -> None:
    """The kept generation is served again."""
    before = scene.digest()
    migrate(scene.context, scene.plan())
    assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED
    assert scene.digest() == before
    assert scene.states() == {"g1": "active", "g2": "kept"}


def test_reverted_after_writes(scene: Scene) -> None:
    """New texts are fresh episodes, forgotten ones are gone, all others are as they were."""
    migrate(scene.context, scene.plan())
    scene.remember("late", "A late lark")
    scene.forget("heron0")
    ids = scene.ids()
    go_back(scene.context, scene.run())
    assert scene.ids() == ids
    assert RUN in scene.run().plan.id
