"""Gates: what is shut, what is not known, what is open; each with the numbers that it follows from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from rollout_in_memory import BEGIN, DAY, PLAN, RAMP, ROLLOUT, SHADOW, TARGET, Told

import runbook
from runbook.engine.rollout.gates.every import binding, code_of, gates_of, pending
from runbook.engine.rollout.gates.facts import Facts, Live, facts_of
from runbook.engine.rollout.gates.kept_backups import fresh, kept_of
from runbook.engine.rollout.gates.lasted import overdue, time_left
from runbook.errors import ExitCode
from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.judgement import Guardrail, Judged, Judgement, Metric, Mismatch, Verdict
from runbook.model.rollout import Approvals, FreezeWindow, Judging, RolloutPlan

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
NODES = ("a", "b")
CRITERION = SHADOW.criteria[0].title
CALM = tuple(Finding(node, CRITERION, YES, "3 concepts/min, all under 16.7", "scraped") for node in NODES)
WELL = Live(findings=CALM, drift=())
GUARDRAIL = Guardrail(Metric.LATENCY, 0.10)


def facts(told: Told, live: Live | None = None, later: timedelta = timedelta(0)) -> Facts:
    """The facts so much later than the last entry."""
    return facts_of(told.rollout, told.entries, told.now + later, NODES, live)


def gates(told: Told, live: Live | None = None, later: timedelta = timedelta(0)) -> Mapping[str, Gate]:
    """Every gate by its name."""
    found = gates_of(facts(told, live, later))
    assert len({gate.name for gate in found}) == len(found)
    return {gate.name: gate for gate in found}


def backed_up(told: Told, node: str, level: int = 2, name: str = "") -> None:
    """A backup of that node, as `backup create` journals it."""
    told.tell(Event.BACKUP_CREATED, target=TARGET, host=node, backup=name or f"backup-{node}", level=level)


def rehearsed(told: Told, version: str = runbook.__version__, outcome: str = "passed", name: str = "drill") -> None:
    """The brake was rehearsed with that version of the tool, with success if nothing else is said."""
    versions = {"engram-runbook": version}
    drill = {"id": name, "issue": "rollback", "fault": "full", "nodes": 1, "reason": "", "versions": versions}
    told.tell(Event.DRILL_STARTED, by=name, **drill)
    told.tell(Event.DRILL_ENDED, by=name, outcome=outcome, phases=[], why=[])


def ready(plan: RolloutPlan = PLAN) -> Told:
    """Shadow has lasted two weeks, and people and backups are all that the ramp asks for."""
    told = Told(plan)
    told.enter(0)
    told.now += 14 * DAY
    told.tell(Event.ROLLOUT_APPROVED, who="bert", digest=told.rollout.digest)
    told.tell(Event.ROLLOUT_APPROVED, who="bert", digest=told.rollout.digest, phase="ramp")
    for node in NODES:
        backed_up(told, node)
    rehearsed(told)
    return told


def test_three_minutes_of_fourteen_days_are_too_few() -> None:
    """Said in numbers; and so is everything else that is missing."""
    told = Told()
    told.enter(0)
    found = gates(told, WELL, timedelta(minutes=3))
    shut = found["time of the stage"]
    assert (shut.answer, shut.arithmetic) == (NO, "shadow has lasted 3 minutes of 14 days")
    assert shut.to_do == "wait 13 days 23 hours"
    assert found["approval of the plan"].arithmetic == "0 of 1"
    assert found["approval of ramp"].answer is NO
    assert found["backup of a"].arithmetic == "none verified at level 2"
    assert found["rehearsal"].answer is NO
    assert found[f"criterion: {CRITERION}"].answer is YES
    assert found["nodes agree"].answer is YES
    every = gates_of(facts(told, WELL))
    assert code_of(every) is ExitCode.REFUSED
    assert [gate.answer for gate in pending(every)] == [NO] * len(pending(every))


def test_a_clock_that_was_set_back_makes_no_stage_older() -> None:
    """Forward and back again: only what passed is counted."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_CHECKED, after=timedelta(hours=1))
    told.now -= timedelta(days=300)
    told.tell(Event.CLOCK_SET_BACK, by="")
    assert gates(told, later=timedelta(hours=1))["time of the stage"].arithmetic == (
        "shadow has lasted 2 hours of 14 days"
    )


def test_what_was_not_asked_holds_and_is_no_yes() -> None:
    """Neither measured nor asked: UNKNOWN; alone it ends with "could not tell"."""
    told = Told(replace(PLAN, phases=(replace(SHADOW, minimum=timedelta(0)),)))
    told.enter(0)
    assert {gate.name for gate in gates_of(facts(told)) if gate.answer is UNKNOWN} == {
        "criteria",
        "nodes agree",
    }
    assert code_of(gates_of(facts(told))) is ExitCode.COULD_NOT_TELL
    assert code_of(gates_of(facts(told, WELL))) is ExitCode.DONE


@pytest.mark.parametrize(
    ("findings", "answer", "said"),
    [
        (CALM[:1], UNKNOWN, "b: not measured"),
        ((CALM[0], replace(CALM[1], answer=UNKNOWN, arithmetic="no data: refused")), UNKNOWN, "b: no data: refused"),
        ((replace(CALM[0], answer=NO, arithmetic="20 >= 16.7"), CALM[1]), NO, "a: 20 >= 16.7"),
        ((), UNKNOWN, "a: not measured; b: not measured"),
    ],
)
def test_one_node_is_enough_to_hold_a_criterion(findings: tuple[Finding, ...], answer: Answer, said: str) -> None:
    """A silent one too; and it is named."""
    told = Told()
    told.enter(0)
    gate = gates(told, Live(findings=findings))[f"criterion: {CRITERION}"]
    assert (gate.answer, gate.arithmetic) == (answer, said)


def test_a_node_where_nobody_is_treated_is_not_asked_about_treatment() -> None:
    """One that is answers for the fleet; where none is, nothing is known."""
    told = Told()
    told.enter(0)
    moot = replace(CALM[1], answer=NO, arithmetic="there is no traffic with group treatment", moot=True)
    one = gates(told, Live(findings=(CALM[0], moot)))[f"criterion: {CRITERION}"]
    none = gates(told, Live(findings=(replace(moot, node="a"), moot)))[f"criterion: {CRITERION}"]
    assert (one.answer, one.arithmetic) == (YES, "a: 3 concepts/min, all under 16.7")
    assert none.answer is UNKNOWN


def test_who_started_it_does_not_approve_it_and_another_plan_was_not_approved() -> None:
    """Each is said; a second person's yes to this plan opens."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_APPROVED, who="anna", digest=told.rollout.digest)
    told.tell(Event.ROLLOUT_APPROVED, who="bert", digest="0" * 64)
    gate = gates(told)["approval of the plan"]
    assert gate.answer is NO
    assert gate.arithmetic.startswith("0 of 1; approved was another plan (000000000000, this one is ")
    assert gate.arithmetic.endswith("; anna started it and does not count")
    told.tell(Event.ROLLOUT_APPROVED, who="bert", digest=told.rollout.digest)
    assert gates(told)["approval of the plan"].arithmetic == "1 of 1 (bert); anna started it and does not count"
    assert gates(told)["approval of ramp"].answer is NO


def test_one_person_counts_once_and_the_starter_where_the_plan_says_so() -> None:
    """Two are asked: twice bert is one; anna may, where `starter_counts`."""
    alone = replace(RAMP, approvals=Approvals(people=2, starter_counts=True))
    told = Told(replace(PLAN, phases=(SHADOW, alone)))
    told.enter(0)
    for who in ("bert", "bert"):
        told.tell(Event.ROLLOUT_APPROVED, who=who, digest=told.rollout.digest, phase="ramp")
    assert gates(told)["approval of ramp"].arithmetic == "1 of 2 (bert)"
    assert gates(told)["approval of ramp"].to_do == "runbook rollout approve --phase ramp"
    told.tell(Event.ROLLOUT_APPROVED, who="anna", digest=told.rollout.digest, phase="ramp")
    assert gates(told)["approval of ramp"].answer is YES


def test_the_next_share_of_a_phase_needs_no_new_approval_but_a_fresh_backup() -> None:
    """Backups are asked at every stage that treats anyone, by the journal's time."""
    told = ready()
    told.enter(1)
    told.now += 2 * DAY
    backed_up(told, "a")
    told.now += timedelta(hours=2)
    found = gates(told)
    assert "approval of ramp" not in found
    assert (found["backup of a"].answer, found["backup of b"].answer) == (YES, NO)
    assert found["backup of a"].arithmetic == "backup-a, level 2: 2 hours old <= 1 day"
    assert (found["time of the stage"].answer, found["rehearsal"].answer) == (YES, YES)


def test_a_backup_counts_for_what_it_was_verified_at_and_not_after_it_was_damaged_or_removed() -> None:
    """A verification raises its level and not its age; damage and pruning take it away; a fleet's parts are known."""
    told = Told()
    backed_up(told, "a", level=1)
    assert fresh(kept_of(told.entries, TARGET), ["a"], facts(told).age, DAY, 2) == ()
    told.tell(Event.BACKUP_VERIFIED, after=2 * DAY, target=TARGET, host="a", backup="backup-a", level=3)
    (kept,) = kept_of(told.entries, TARGET)
    assert (kept.level, facts(told).age[kept.seq]) == (3, 2 * DAY)
    told.tell(Event.BACKUP_VERIFIED, target=TARGET, host="a", backup="backup-a", level=2, unchanged=True)
    assert fresh(kept_of(told.entries, TARGET), ["a"], facts(told).age, DAY, 3) == ("backup-a",)
    told.tell(Event.BACKUP_CREATED, target=TARGET, fleet="f", backups={"a": "fa", "b": "fb"}, levels={"a": 2, "b": 2})
    assert fresh(kept_of(told.entries, TARGET), NODES, facts(told).age, DAY, 2) == ("fa", "fb")
    told.tell(Event.BACKUP_VERIFIED, backup="fa", damage="line 3")
    told.tell(Event.BACKUP_PRUNED, removed=["fb"], done=True)
    assert [each.name for each in kept_of(told.entries, TARGET)] == ["backup-a"]
    assert kept_of(told.entries, "other") == ()


def test_a_freeze_window_shuts_and_says_how_long() -> None:
    """Inside it, and not at its end."""
    window = FreezeWindow(BEGIN, BEGIN + 10 * DAY, "holidays")
    told = Told(replace(PLAN, freeze=(window,)))
    told.enter(0)
    shut = gates(told, later=timedelta(days=9, hours=23))["freeze window"]
    assert shut.answer is NO
    assert shut.arithmetic == "57 minutes are left of the freeze until 2026-11-12 09:00 UTC (holidays)"
    assert gates(told, later=10 * DAY)["freeze window"].answer is YES


def test_complaints_must_be_said_lately_and_be_few() -> None:
    """Nobody said: not known. Too many: shut. Said last week: not known again. Of another stage: nothing said."""
    told = ready()
    told.tell(Event.ROLLOUT_NOTED, who="dora", stage=0, complaints=0)
    told.enter(1)
    assert gates(told)["complaints"].answer is UNKNOWN
    told.tell(Event.ROLLOUT_NOTED, who="dora", stage=1, complaints=2)
    assert gates(told)["complaints"].arithmetic == "2 (said by dora, 0 seconds ago) < 3"
    assert gates(told, later=7 * DAY)["complaints"].answer is UNKNOWN
    told.tell(Event.ROLLOUT_NOTED, who="dora", stage=1, complaints=3)
    told.tell(Event.ROLLOUT_NOTED, who="dora", stage=1, text="only a remark")
    assert gates(told)["complaints"].answer is NO


def _judged(verdict: Verdict = Verdict.SAFE, *, blocks: bool = False, stage: str = "ramp-5%") -> Judgement:
    found = Judged(GUARDRAIL, verdict, None, 10, 10, "+1 % (-2 %..+4 %) < +10 %", "", left=timedelta(hours=9))
    ratio = Mismatch(blocks, 3.0, 0.001, None, 0.05, 0.05, 0.05, "e-value 3 < 1000")
    return Judgement(stage, (found,), ratio, verdict, "as it is")


@pytest.mark.parametrize(
    ("judgement", "code", "name", "said"),
    [
        (_judged(), ExitCode.DONE, "judge: latency", "safe: +1 % (-2 %..+4 %) < +10 %"),
        (_judged(Verdict.INCONCLUSIVE), ExitCode.COULD_NOT_TELL, "judge: latency", "inconclusive: +1 %"),
        (_judged(Verdict.NO_DATA), ExitCode.COULD_NOT_TELL, "judge: latency", "no-data"),
        (_judged(Verdict.HARM), ExitCode.REFUSED, "judge: latency", "harm"),
        (_judged(blocks=True), ExitCode.REFUSED, "sample ratio", "e-value 3 < 1000"),
        (replace(_judged(), mismatch=None), ExitCode.COULD_NOT_TELL, "sample ratio", "not looked at"),
        (replace(_judged(), judged=()), ExitCode.COULD_NOT_TELL, "judge: latency", "not judged"),
        (replace(_judged(), blocked=("x serves b as control",)), ExitCode.REFUSED, "judge: assignment", "x serves b"),
        (_judged(stage="ramp-50%"), ExitCode.COULD_NOT_TELL, "judge", "ramp-5% was not judged"),
        (None, ExitCode.COULD_NOT_TELL, "judge", "ramp-5% was not judged"),
    ],
)
def test_only_safe_goes_on(judgement: Judgement | None, code: ExitCode, name: str, said: str) -> None:
    """Each verdict, a mismatch, a guardrail that is missing, another stage's judgement."""
    ramp = replace(RAMP, judging=Judging((GUARDRAIL,), DAY), complaints=None)
    told = ready(replace(PLAN, phases=(SHADOW, ramp)))
    told.enter(1)
    live = replace(WELL, judgement=judgement)
    found = gates(told, live)
    assert said in found[name].arithmetic
    assert code_of(tuple(gate for gate in found.values() if gate.name.startswith(("judge", "sample")))) is code


def test_at_a_whole_share_the_validator_is_the_gate() -> None:
    """No control group is left; it must have said `proceed` since the stage began, lately, and of every node."""
    ramp = replace(RAMP, judging=Judging((GUARDRAIL,), DAY), complaints=None, validated=True, approvals=Approvals())
    told = Told(replace(PLAN, phases=(SHADOW, ramp)))
    told.enter(0)
    said = {"target": TARGET, "recommendation": "proceed", "checks": {"errors": "PASS"}, "whole": True, "seconds": 90.0}
    told.tell(Event.VALIDATED, by="v", nodes=list(NODES), **said)
    told.enter(3)
    assert gates(told)["judge"].answer is YES
    assert gates(told)["validator"].arithmetic == "it was not run since ramp-100% began"
    told.tell(Event.VALIDATED, by="v", nodes=list(NODES), **said)
    assert gates(told)["validator"].answer is UNKNOWN
    assert (
        "looked back over 1 minute 30 seconds, and the stage is only 1 minute old"
        in gates(told)["validator"].arithmetic
    )
    told.tell(Event.VALIDATED, by="v", nodes=["a"], **said)
    assert gates(told)["validator"].answer is UNKNOWN
    told.tell(Event.VALIDATED, by="v", nodes=list(NODES), **said)
    assert gates(told)["validator"].answer is YES
    assert gates(told, later=2 * DAY)["validator"].answer is UNKNOWN
    told.tell(Event.VALIDATED, by="v", nodes=list(NODES), **(said | {"recommendation": "roll back"}))
    assert gates(told)["validator"].answer is NO


@pytest.mark.parametrize(
    ("event", "details", "said"),
    [
        (Event.ROLLOUT_HELD, {"why": "a storm"}, "it is held in shadow: a storm"),
        (Event.ROLLOUT_ENTERING, {"stage": 1, "run": "r"}, "ramp-5% is being entered"),
        (Event.ROLLOUT_REVERTING, {"why": "harm"}, "it is being taken back: harm"),
        (Event.ROLLOUT_ENDED, {"standing": "aborted", "why": "done"}, "it is aborted: done"),
    ],
)
def test_only_a_rollout_that_runs_goes_on(event: Event, details: dict[str, object], said: str) -> None:
    """Held, between two stages, on its way back, over."""
    told = Told()
    told.enter(0)
    told.tell(event, **details)
    gate = gates(told)["standing"]
    assert (gate.answer, gate.arithmetic) == (NO, said)


def test_nodes_that_disagree_or_are_silent_hold() -> None:
    """Each with its own answer."""
    told = Told()
    told.enter(0)
    wrong = gates(told, Live(drift=("a: dual_memory.enabled is False, not True",)))["nodes agree"]
    silent = gates(told, Live(drift=(), silent=("b: refused",)))["nodes agree"]
    assert (wrong.answer, wrong.arithmetic) == (NO, "a: dual_memory.enabled is False, not True")
    assert (silent.answer, silent.arithmetic) == (UNKNOWN, "not all answer: b: refused")


def test_a_phase_for_named_spaces_is_not_entered_without_any() -> None:
    """And says how to name them."""
    ramp = replace(RAMP, names_spaces=True)
    told = Told(replace(PLAN, phases=(SHADOW, ramp)))
    told.enter(0)
    gate = gates(told)["named spaces"]
    assert (gate.answer, "--space NAME" in gate.to_do) == (NO, True)


def test_what_binds_later_is_known_at_the_start() -> None:
    """What people will have to do before the ramp, with nothing entered yet."""
    told = Told()
    names = [gate.name for gate in binding(facts(told), RAMP)]
    assert names == ["approval of the plan", "approval of ramp", "backup of a", "backup of b", "rehearsal"]


def test_time_that_is_left_and_overdue_are_told() -> None:
    """A phase of several stages has its own shortest and longest time."""
    ramp = replace(RAMP, minimum=10 * DAY, maximum=20 * DAY)
    told = Told(replace(PLAN, phases=(SHADOW, ramp)))
    told.enter(1)
    told.now += 3 * DAY
    told.enter(3)
    assert time_left(facts(told)) == 7 * DAY - timedelta(minutes=2)
    assert gates(told)["time of the phase"].answer is NO
    assert overdue(facts(told)) == ""
    assert overdue(facts(told, later=20 * DAY)).startswith("ramp is overdue: it has lasted 23 days")


def test_of_two_rollouts_each_has_its_own_gates() -> None:
    """An entry of another rollout counts for none of this one's."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_APPROVED, by="other", who="bert", digest=told.rollout.digest)
    assert told.rollout.id == ROLLOUT
    assert gates(told)["approval of the plan"].answer is NO


def test_a_rehearsal_says_nothing_about_another_version_of_the_brake() -> None:
    """What was rehearsed before an upgrade shuts the gate, with both versions; once more with this one opens it."""
    told = ready()
    told.entries = [each for each in told.entries if each.run != "drill"]
    rehearsed(told, "0.0.9")
    shut = gates(told, WELL)["rehearsal"]
    assert shut.answer is NO
    assert f"rehearsed with version 0.0.9, and this is {runbook.__version__}" in shut.arithmetic
    rehearsed(told, name="drill-2")
    assert gates(told, WELL)["rehearsal"].answer is YES


def test_a_rehearsal_that_failed_takes_away_what_one_before_it_proved() -> None:
    """The newest counts; one that was broken off taught nothing, and takes nothing away."""
    told = ready()
    rehearsed(told, outcome="aborted", name="broken-off")
    assert gates(told, WELL)["rehearsal"].answer is YES
    rehearsed(told, outcome="failed", name="failed")
    shut = gates(told, WELL)["rehearsal"]
    assert (shut.answer, shut.arithmetic) == (NO, "the last rehearsal of the brake failed; 30 days at most asked")
