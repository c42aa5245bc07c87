"""A migration that is cut off after any call of any port can be brought to its end, or back; nothing is half served.

The positions are not listed: the first run counts its calls, and the sweeps go through them; some here, all of them in
`make faults`.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from fleet_in_memory import CrashError
from migrate_scene import RUN, Scene

from runbook.engine.migrate.run import go_back, migrate, resume
from runbook.errors import InterruptedRunError, RunbookError, StorageError, UnreachableError
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan
from runbook.model.run import RunStatus

# A reader that is cut off before its first record never closes its nameless temporary file; the process is gone then.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

STRIDE = 1 if os.environ.get("FAULTS") == "all" else 11
EARLIER = "20261122T200000-0000"
MakeScene = Callable[[], Scene]


@dataclass(frozen=True)
class Story:
    """A migration to that kind, with writes after its backup was made."""

    to: str

    def begin(self, make_scene: MakeScene) -> tuple[Scene, MigrationPlan]:
        scene = make_scene()
        if self.to == DUAL:
            migrate(scene.context, scene.plan(run=EARLIER))
            scene.remember("since", "A sparrow since the first switch")
        plan = scene.plan(self.to)
        scene.remember("late", "A late lark")
        scene.forget("heron0")
        scene.wire.calls.clear()
        return scene, plan

    @property
    def source(self) -> str:
        return DUAL if self.to == SINGLE else SINGLE


STORIES = (Story(SINGLE), Story(DUAL))


@pytest.fixture(params=STORIES, ids=lambda story: story.to)
def story(request: pytest.FixtureRequest) -> Story:
    """Each direction."""
    found: Story = request.param
    return found


def positions(story: Story, make_scene: MakeScene) -> tuple[int, str]:
    """How many calls an uninterrupted migration makes, and the content it ends with."""
    scene, plan = story.begin(make_scene)
    migrate(scene.context, plan)
    return len(scene.wire.calls), scene.digest(story.to)


def cut_off(story: Story, make_scene: MakeScene, position: int, error: type[BaseException]) -> tuple[Scene, str]:
    """The scene after that call, and the content before."""
    scene, plan = story.begin(make_scene)
    before = scene.digest(story.source)
    scene.wire.trip_after, scene.wire.error = position, error
    with suppress(CrashError, KeyboardInterrupt, InterruptedRunError):
        migrate(scene.context, plan)
    scene.wire.trip_after, scene.wire.dead = None, False
    assert_one_whole_generation(scene, before, story)
    return scene, before


def assert_one_whole_generation(scene: Scene, before: str, story: Story) -> None:
    """At any moment either all of the old data is served, or all of the new."""
    kind = scene.data.holdings().active.kind
    assert kind == story.to or scene.digest(story.source) == before
    assert {"late"} <= scene.ids()
    assert "heron0" not in scene.ids()


@pytest.mark.parametrize("error", [CrashError, KeyboardInterrupt])
def test_resumed_from_any_position_it_ends_as_if_nothing_had_happened(
    story: Story, make_scene: MakeScene, error: type[BaseException]
) -> None:
    """The same content, and no staging generation is left."""
    last, expected = positions(story, make_scene)
    assert last > 40
    for position in range(1 if STRIDE == 1 else 3 + 4 * (error is CrashError), last + 1, STRIDE):
        scene, before = cut_off(story, make_scene, position, error)
        calls = scene.wire.calls[:position]
        if scene.ended(RUN):
            continue
        if not scene.begun(RUN):
            assert scene.digest(story.source) == before, calls
            continue
        assert resume(scene.context, scene.run()).status is RunStatus.DONE, calls
        assert scene.digest(story.to) == expected, calls
        assert sorted(scene.states().values()) == ["active", "kept"], calls
        assert not scene.engine.memory.gate.seconds, calls


@pytest.mark.parametrize("error", [UnreachableError, StorageError])
def test_what_may_be_over_by_the_next_try_leaves_the_run_open(
    make_scene: MakeScene, error: Callable[[str], RunbookError]
) -> None:
    """A node that does not answer, a full disk: wherever it strikes, nothing is thrown away, and resuming ends it."""
    story = Story(SINGLE)
    last, expected = positions(story, make_scene)
    for position in range(1 if STRIDE == 1 else 6, last + 1, STRIDE):
        scene, plan = story.begin(make_scene)
        scene.wire.trip_after, scene.wire.error = position, lambda: error("it struck")
        with suppress(RunbookError):
            migrate(scene.context, plan)
        scene.wire.trip_after = None
        calls = scene.wire.calls[:position]
        if not scene.begun(RUN) or scene.ended(RUN):
            continue
        assert not scene.engine.memory.gate.seconds, calls
        assert scene.run().status is RunStatus.OPEN, calls
        assert resume(scene.context, scene.run()).status is RunStatus.DONE, calls
        assert scene.digest(SINGLE) == expected, calls


def test_undone_from_any_position_it_is_as_it_was(story: Story, make_scene: MakeScene) -> None:
    """Without resuming first; a staging generation of the run's own is dropped."""
    last, _ = positions(story, make_scene)
    for position in range(1 if STRIDE == 1 else 5, last + 1, STRIDE):
        scene, before = cut_off(story, make_scene, position, CrashError)
        calls = scene.wire.calls[:position]
        if not scene.begun(RUN):
            continue
        assert go_back(scene.context, scene.run()).status is RunStatus.REVERTED, calls
        assert scene.digest(story.source) == before, calls
        assert "staging" not in scene.states().values(), calls
        assert not scene.engine.memory.gate.seconds, calls


def test_the_way_back_can_be_cut_off_anywhere_too(make_scene: MakeScene) -> None:
    """It is resumed in its direction, and ends as if nothing had happened."""

    def begun() -> Scene:
        scene = make_scene()
        migrate(scene.context, scene.plan())
        scene.remember("late", "A late lark")
        scene.forget("heron0")
        scene.wire.calls.clear()
        return scene

    scene = begun()
    go_back(scene.context, scene.run())
    last, expected = len(scene.wire.calls), scene.digest()
    assert last > 20
    for position in range(1, last + 1, STRIDE):
        scene = begun()
        scene.wire.trip_after = position
        with suppress(CrashError):
            go_back(scene.context, scene.run())
        scene.wire.trip_after, scene.wire.dead = None, False
        calls = scene.wire.calls[:position]
        run = scene.run()
        if run.status is RunStatus.DONE:
            run = go_back(scene.context, run)
        elif run.status is RunStatus.OPEN:
            run = resume(scene.context, run)
        assert run.status is RunStatus.REVERTED, calls
        assert scene.digest() == expected, calls
        assert not scene.engine.memory.gate.seconds, calls
