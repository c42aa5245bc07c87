"""Rehearsals in memory: what passes, what fails and why, and what is recorded when."""

from collections.abc import Callable

import pytest
from fleet_in_memory import ORDINARY, SilentTalk
from scratch_in_memory import WELL, scene, scratch

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.drill import rehearse
from runbook.engine.drill_record import drills_of, recorded
from runbook.errors import ExitCode, InterruptedRunError, RefusedError, StorageError
from runbook.model.drill import Drill, Outcome, Phase, Rehearsal
from runbook.model.journal import Event

DRILL = Drill("drill-1", "high-formation-rate", "high-formation", 3, "game day", {"engram-runbook": "0.1.0"})
PASSED = Rehearsal((Phase("detect", 5.0, 90.0),))


def seconds_of(found: Rehearsal) -> dict[str, float | None]:
    """Each phase's length by its name."""
    return {phase.name: phase.seconds for phase in found.phases}


def test_a_drill_that_passes() -> None:
    """All nodes but the last are broken, found, mended by the plan, and watched; each phase has its seconds."""
    fleet = scratch()
    found = rehearse(scene(fleet))
    assert found.faults == ()
    assert found.outcome is Outcome.PASSED
    assert found.exit_code == ExitCode.DONE
    assert fleet.injected == [("high-formation", ("a", "b"))]
    assert fleet.inner.settings == {"a": ORDINARY, "b": ORDINARY, "c": WELL}
    assert seconds_of(found) == {"detect": 5.0, "act": 0.0, "recover": pytest.approx(10.0, abs=1.0)}


def test_a_fleet_of_one_is_broken_whole() -> None:
    """There is nothing to be left well."""
    fleet = scratch(("a",))
    assert rehearse(scene(fleet)).outcome is Outcome.PASSED
    assert fleet.injected == [("high-formation", ("a",))]


def test_a_fault_that_does_not_show_is_not_detected() -> None:
    """Looked for until the limit, each time longer; then failed, with the arithmetic, and nothing was changed."""
    fleet = scratch()
    fleet.reach = ()
    began = fleet.inner.ports.read.clock.monotonic()
    found = rehearse(scene(fleet))
    assert found.outcome is Outcome.FAILED
    assert found.exit_code == ExitCode.BAD_NEWS
    assert [why.split(",")[0] for why in found.why] == [
        "not detected: a was broken",
        "not detected: b was broken",
    ]
    assert "concepts/min" in found.why[0]
    assert seconds_of(found) == {"detect": None, "act": None, "recover": None}
    assert fleet.inner.ports.read.clock.monotonic() - began <= 5 + 90
    assert fleet.inner.settings == dict.fromkeys("abc", WELL)
    said = [text for text in fleet.inner.talk.said if text.startswith("not seen yet")]
    assert said[:2] == ["not seen yet: looking for 10 s", "not seen yet: looking for 20 s"]


def test_a_well_node_that_is_called_sick_is_a_wrong_diagnosis() -> None:
    """And is not acted on."""
    fleet = scratch()
    fleet.reach = ("a", "b", "c")
    found = rehearse(scene(fleet))
    assert found.outcome is Outcome.FAILED
    assert [why.split(",")[0] for why in found.why] == ["wrong diagnosis: c is well"]
    assert list(fleet.inner.journal.entries()) == []


def test_a_fleet_that_does_not_recover_fails_the_drill() -> None:
    """What the watch did not see come back is told."""
    fleet = scratch()
    fleet.inner.fleet.ill = lambda settings: settings != WELL
    found = rehearse(scene(fleet))
    assert found.outcome is Outcome.FAILED
    assert found.why[0] == "the run ended as not recovered"
    assert any("engram_concepts_formed_total" in why for why in found.why)
    assert seconds_of(found)["recover"] is None
    assert seconds_of(found)["act"] is not None


def test_emergency_steps_only_where_they_are_allowed() -> None:
    """With them it takes longer to act: they come after a first watch."""
    fleet = scratch()
    stopped = {**ORDINARY, "dual_memory.enable_concepts": False}
    fleet.inner.fleet.ill = lambda settings: settings not in (WELL, stopped)
    found = rehearse(scene(fleet, allow_disruptive=True))
    assert found.outcome is Outcome.PASSED, found.faults
    assert fleet.inner.settings["a"] == stopped
    assert (seconds_of(found)["act"] or 0.0) >= 30.0


def test_a_step_that_fails_fails_the_drill() -> None:
    """With the host's words; the step was put back, so nothing was acted."""
    fleet = scratch()
    fleet.inner.plays.inner.unreachable.add("b")
    found = rehearse(scene(fleet))
    assert found.outcome is Outcome.FAILED
    assert found.why[0] == "the run ended as undone"
    assert "step 1, b: unreachable: no connection" in found.why
    assert seconds_of(found)["act"] is None


def test_a_fleet_that_is_not_well_teaches_nothing() -> None:
    """Refused before the fault: a silent node, or one that is sick already."""
    fleet = scratch()
    fleet.inner.fleet.dead["c"] = "connection refused"
    with pytest.raises(RefusedError, match="c: connection refused"):
        rehearse(scene(fleet))
    fleet = scratch()
    fleet.inject("high-formation", fleet.target.nodes[:1])
    with pytest.raises(RefusedError, match="not well to begin with: a: "):
        rehearse(scene(fleet))


def test_what_takes_too_long_fails() -> None:
    """Each phase against its own limit; one that did not end has not passed either."""
    late = Rehearsal((Phase("detect", 91.0, 90.0), Phase("act", 1.0, 120.0)))
    assert late.outcome is Outcome.FAILED
    assert late.faults == ("detect took 91.0 s, more than 90 s",)
    assert Rehearsal((Phase("detect", None, 90.0),)).outcome is Outcome.FAILED


class Refusing(MemoryJournal):
    """A journal that takes so many entries, and no more."""

    def __init__(self, takes: int) -> None:
        super().__init__(MemoryClock(), "anna", "bastion")
        self.takes = takes

    def append(self, event, run, details):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as the port
        if len(self.lines) >= self.takes:
            raise StorageError("no space is left on the disk")
        return super().append(event, run, details)


def raising(error: BaseException) -> Callable[[], Rehearsal]:
    """A rehearsal that breaks off."""

    def rehearsal() -> Rehearsal:
        raise error

    return rehearsal


def test_a_drill_is_recorded_before_and_after() -> None:
    """The intent first, so that a drill that is killed is in the record too."""
    journal = Refusing(10)

    def rehearsal() -> Rehearsal:
        (record,) = drills_of(journal.entries())
        assert record.outcome is Outcome.OPEN
        return PASSED

    assert recorded(journal, SilentTalk(), DRILL, rehearsal) == PASSED
    (record,) = drills_of(journal.entries())
    assert (record.drill, record.outcome, record.phases, record.who) == (DRILL, Outcome.PASSED, PASSED.phases, "anna")


def test_without_a_journal_nothing_is_started() -> None:
    """The refusal comes before the fleet."""
    with pytest.raises(StorageError, match="no space"):
        recorded(Refusing(0), SilentTalk(), DRILL, raising(AssertionError("started")))


def test_a_disk_that_fills_up_meanwhile_is_told_with_how_the_drill_went() -> None:
    """The record stays open; nobody is told that it was kept."""
    journal = Refusing(1)
    with pytest.raises(StorageError, match="the drill passed, but that could not be recorded: no space"):
        recorded(journal, SilentTalk(), DRILL, lambda: PASSED)
    assert [record.outcome for record in drills_of(journal.entries())] == [Outcome.OPEN]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (InterruptedRunError("run r1 was interrupted"), "interrupted"),
        (RefusedError("not well"), "not well"),
        (ValueError("odd"), "a bug: ValueError('odd')"),
    ],
)
def test_a_drill_that_breaks_off_is_recorded_as_aborted(error: BaseException, why: str) -> None:
    """And what broke it off goes on its way; also where the journal takes nothing any more, which is said."""
    journal, talk = Refusing(10), SilentTalk()
    with pytest.raises(type(error)):
        recorded(journal, talk, DRILL, raising(error))
    (record,) = drills_of(journal.entries())
    assert (record.outcome, record.why) == (Outcome.ABORTED, (why,))
    full = Refusing(1)
    with pytest.raises(type(error)):
        recorded(full, talk, DRILL, raising(error))
    assert "could not be recorded" in talk.said[-1]
    assert [entry.event for entry in full.entries()] == [Event.DRILL_STARTED]
