"""Rehearsals of the emergency brake in memory: what passes, and what fails and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from fleet_in_memory import Settings, World, world

from runbook.adapters.memory.brake import MemoryBrake
from runbook.engine.drill_brake import BrakeScene, rehearse
from runbook.errors import NotSupportedError, RefusedError
from runbook.model.brake import FLAGS, Rollback
from runbook.model.drill import Outcome
from runbook.model.play import HostResult, HostState, PlayRequest, PlayResult
from runbook.ports import BrakePorts, Plays

ON: Settings = dict.fromkeys(FLAGS[Rollback.FULL], True)
NAMES = ("a", "b", "c")


@dataclass
class BrakePlays:
    """The plays of a world; the brake's own one finds everything off already, or fails as told."""

    inner: Plays
    problem: Exception | None = None
    failing: tuple[str, ...] = ()

    def ready(self) -> None:
        if self.problem is not None:
            raise self.problem

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        states = {name: HostState.FAILED if name in self.failing else HostState.UNCHANGED for name in request.hosts}
        progress("a: looked at")
        return PlayResult(tuple(HostResult(*each, message="read-only file system") for each in states.items()), 0.1)


@dataclass
class Rehearsed:
    """A world with a brake, and the scene of a drill in it."""

    inner: World
    brake: MemoryBrake
    plays: BrakePlays

    def scene(self, what: Rollback = Rollback.FULL) -> BrakeScene:
        ports = self.inner.ports

        def brake(elapsed: Callable[[], float]) -> BrakePorts:
            read = ports.read
            return BrakePorts(self.brake, lambda: ports.journal, lambda: self.plays, read.clock, read.talk, elapsed)

        return BrakeScene(what, self.inner.target, brake, ports, "anna@bastion", "drill-1", "undo-1")


@pytest.fixture
def made() -> Rehearsed:
    """Three nodes with every flag on."""
    inner = world(NAMES, **dict.fromkeys(NAMES, ON))
    return Rehearsed(inner, MemoryBrake(inner.fleet.settings), BrakePlays(inner.ports.plays))


@pytest.mark.parametrize("what", list(Rollback))
def test_a_brake_that_works(made: Rehearsed, what: Rollback) -> None:
    """Off within the limit, and afterwards everything is as it was."""
    found = rehearse(made.scene(what))
    assert found.faults == ()
    assert found.outcome is Outcome.PASSED
    assert {phase.name: phase.passed for phase in found.phases} == dict.fromkeys(
        ("off", "verified", "durable", "restored"), True
    )
    assert made.inner.settings == dict.fromkeys(NAMES, ON)


def test_a_node_that_ignores_the_brake_fails_the_drill(made: Rehearsed) -> None:
    """The node itself says that the flag is on, whatever was reported."""
    made.brake.ignoring.add("b")
    found = rehearse(made.scene(Rollback.FEATURES))
    assert found.outcome is Outcome.FAILED
    assert "after the rollback, dual_memory.enable_concepts is on on b" in found.why
    assert {phase.name: phase.seconds for phase in found.phases}["off"] is None


@pytest.mark.parametrize("broken", ["missing", "failing"])
def test_a_play_that_does_not_make_it_durable_fails_the_drill(made: Rehearsed, broken: str) -> None:
    """The flags are off all the same, which is the point of the brake; but the drill is of both ways."""
    if broken == "missing":
        made.plays.problem = NotSupportedError("Ansible is missing")
    else:
        made.plays.failing = ("c",)
    found = rehearse(made.scene())
    assert found.outcome is Outcome.FAILED
    told = {"missing": "the play did not make it durable: Ansible is missing"}
    assert found.why == (told.get(broken, "the play did not make it durable on c: read-only file system"),)
    seconds = {phase.name: phase.seconds for phase in found.phases}
    assert seconds["durable"] is None
    assert seconds["verified"] is not None


def test_an_undo_that_does_not_bring_everything_back_fails_the_drill(made: Rehearsed) -> None:
    """What is missing is named."""
    made.inner.plays.inner.unreachable.add("a")
    found = rehearse(made.scene(Rollback.FEATURES))
    assert found.outcome is Outcome.FAILED
    assert "the undo ended as partial" in found.why
    assert "after the undo, dual_memory.enable_concepts is off on a" in found.why
    assert found.phases[-1].seconds is None


def test_a_fleet_without_its_flags_on_teaches_nothing(made: Rehearsed) -> None:
    """Off already, or silent: refused before the brake is pulled."""
    made.inner.fleet.settings["b"]["dual_memory.enabled"] = False
    made.inner.admin.silent["c"] = "connection refused"
    with pytest.raises(RefusedError, match=r"dual_memory.enabled is off on b.*cannot be read on c"):
        rehearse(made.scene())
    assert list(made.inner.journal.entries()) == []


def test_the_brake_is_timed_from_the_pull(made: Rehearsed) -> None:
    """Not from the start of the command, nor of the fleet."""
    made.inner.ports.read.clock.sleep(100.0)
    asked: list[float] = []
    scene = made.scene()

    def brake(elapsed: Callable[[], float]) -> BrakePorts:
        asked.append(elapsed())
        return scene.brake(elapsed)

    rehearse(replace(scene, brake=brake))
    assert asked == [0.0]
