"""What the access logs of splitters say to a rollout that would go on: open, shut, or not known; with the numbers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from rollout_in_memory import DAY, PLAN, RAMP, SHADOW, Told

from runbook.adapters.memory.access import WELL
from runbook.engine.rollout.gates.access import ACCESS, access
from runbook.engine.rollout.gates.every import gates_of
from runbook.engine.rollout.gates.facts import facts_of
from runbook.model.access import AccessReport, Calls, Misplaced
from runbook.model.answer import Answer
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.judgement import Guardrail, Metric, Mismatch
from runbook.model.measurement import Silence
from runbook.model.rollout import Judging, Phase, Tripwire

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
MARGIN = Judging((Guardrail(Metric.ERRORS, 0.01),), DAY)
LIMIT = Tripwire(errors=0.01, fewest=100)
RATIO, ERRORS = f"{ACCESS}: sample ratio", f"{ACCESS}: errors"


def gates(found: AccessReport | None, phase: Phase = RAMP) -> Mapping[str, Gate]:
    """What they say of the first stage of that phase, by name."""
    told = Told(replace(PLAN, phases=(SHADOW, phase)))
    told.enter(1)
    return {gate.name: gate for gate in access(told.rollout, found)}


def recalls(treated: tuple[int, int], control: tuple[int, int]) -> AccessReport:
    """Errors of recalls, by group."""
    return replace(WELL, recalls={"treatment": Calls(*reversed(treated)), "control": Calls(*reversed(control))})


def test_what_was_kept_opens_it() -> None:
    """Where the plan has no limit for errors they are told."""
    found = gates(WELL, replace(RAMP, judging=None, tripwire=None))
    assert {name: gate.answer for name, gate in found.items()} == {ACCESS: YES, ERRORS: YES}
    assert found[ERRORS].arithmetic == "treatment 0 errors of 100 recalls; control 0 errors of 100 recalls"


@pytest.mark.parametrize(
    ("found", "answer", "said"),
    [
        (None, UNKNOWN, "being read"),
        (replace(WELL, silent=(Silence("s2", "no permission"),)), UNKNOWN, "s2: no permission"),
        (recalls((0, 0), (0, 0)), UNKNOWN, "no recall of the stage"),
        (
            replace(WELL, misplaced=(Misplaced("a", "control", 3, 9),), misplaced_spaces=1),
            NO,
            "1 of 20 spaces were served in another group: 3 of 9 recalls of a, assigned control",
        ),
    ],
)
def test_what_cannot_be_read_holds_and_a_space_that_is_astray_shuts_it(
    found: AccessReport | None, answer: Answer, said: str
) -> None:
    """No data is neither a pass nor zero; and it says what a person can do."""
    gate = gates(found)[ACCESS]
    assert gate.answer is answer
    assert said in gate.arithmetic
    assert ("then hold and resume" in gate.to_do) is (answer is NO)


@pytest.mark.parametrize(("blocks", "answer"), [(False, YES), (True, NO)])
def test_a_ratio_that_is_not_as_assigned_shuts_it(*, blocks: bool, answer: Answer) -> None:
    """Only where chance decided on some: in shadow nothing was drawn."""
    found = replace(WELL, mismatch=Mismatch(blocks, 3.0, 0.001, None, 0.05, 0.05, 0.05, "1 of 20"))
    gate = gates(found)[RATIO]
    assert (gate.answer, gate.arithmetic) == (answer, "1 of 20")
    told = Told()
    told.enter(0)
    assert RATIO not in {each.name for each in access(told.rollout, found)}


@pytest.mark.parametrize(
    ("treated", "judging", "tripwire", "answer"),
    [
        ((0, 1000), MARGIN, LIMIT, YES),
        ((100, 1000), MARGIN, None, NO),
        ((100, 1000), None, LIMIT, NO),
        ((2, 100), MARGIN, None, UNKNOWN),  # two points more, which chance does
        ((2, 100), replace(MARGIN, required=False), LIMIT, YES),
        ((9, 90), None, LIMIT, YES),  # too few to ask
    ],
)
def test_errors_of_clients_are_held_against_the_limits_of_the_plan(
    treated: tuple[int, int], judging: Judging | None, tripwire: Tripwire | None, answer: Answer
) -> None:
    """The guardrail's margin over control, and the tripwire's share; the numbers are told."""
    gate = gates(recalls(treated, (0, 1000)), replace(RAMP, judging=judging, tripwire=tripwire))[ERRORS]
    assert gate.answer is answer
    assert gate.arithmetic.startswith(
        f"treatment {treated[0]} errors of {treated[1]} recalls; control 0 errors of 1000"
    )


def test_they_are_not_read_in_passing_and_a_fleet_without_splitters_has_no_such_gate() -> None:
    """`rollout status` tells that they were not; once a person has let it go, they count from then on."""
    told = Told()
    told.enter(0)

    def asked() -> list[Gate]:
        every = gates_of(facts_of(told.rollout, told.entries, told.now, ("a", "b")))
        return [gate for gate in every if gate.name == ACCESS]

    assert asked() == []
    told.tell(Event.ROLLOUT_HELD, why="s1 was replaced")
    told.tell(Event.ROLLOUT_RELEASED, after=timedelta(hours=1), splitters=["s1"])
    assert told.rollout.released == told.now
    (gate,) = asked()
    assert (gate.answer, gate.to_do) == (UNKNOWN, "runbook rollout advance reads them")
    told.enter(1)
    assert told.rollout.released is None
