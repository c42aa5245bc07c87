"""What a rollout taught, by the journal alone: how long stages lasted, what was said before and after a change."""

from dataclasses import replace
from datetime import timedelta

from rollout_in_memory import DAY, PLAN, RAMP, ROLLOUT, SHADOW, TARGET, Told

from runbook.engine.history import details_of
from runbook.engine.judging.fleet_arms import arms_of_plan
from runbook.engine.rollout import record
from runbook.engine.rollout.learnings import Learnings, learnings_of
from runbook.engine.rollout.plan.quantities import asked, compared
from runbook.model.answer import Answer
from runbook.model.finding import Change
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Judging, Standing
from runbook.model.run import RunPlan, RunStep
from runbook.report.rollout_learnings import learnings_page

WEIGHT = "dual_memory.semantic_weight"


def learnt(told: Told, later: timedelta = timedelta(0)) -> Learnings:
    """So much later than the last entry."""
    return learnings_of(told.rollout, told.entries, told.now + later)


def tune(told: Told, run: str, old: float, new: float, target: str = TARGET) -> None:
    """Somebody sets the weight on both nodes."""
    changes = tuple(Change(node, WEIGHT, old, new) for node in ("a", "b"))
    step = RunStep(1, "Set the weight", "set_config", "restore_config", WEIGHT, changes)
    told.tell(
        Event.RUN_STARTED, by=run, plan=details_of(RunPlan(run, "config set", "settings", target, "try", (step,)))
    )
    told.tell(Event.STEP_INTENT, by=run, step=1)
    hosts = [
        {"host": each.node, "state": "changed", "old": each.old, "read_back": each.new, "message": ""}
        for each in changes
    ]
    told.tell(Event.STEP_OUTCOME, by=run, step=1, done=True, hosts=hosts)


def judged(told: Told, verdict: str, look: int) -> None:
    """The judge looked."""
    stage = told.rollout.current
    told.tell(Event.ROLLOUT_JUDGED, stage=stage.number, name=stage.name, look=look, verdict=verdict, why="so it is")


def walked() -> Told:
    """Two stages, and between two looks of the second the weight was changed."""
    told = Told()
    told.enter(0)
    told.enter(1, after=14 * DAY)
    judged(told, "inconclusive", 1)
    tune(told, "t1", 0.1, 0.2)
    tune(told, "t2", 0.1, 0.9, target="other")
    judged(told, "safe", 2)
    return told


def test_each_stage_has_its_length_and_the_last_that_was_said_of_it() -> None:
    """From one entering to the next; the last until now, or until the end."""
    told = walked()
    shadow, ramp = learnt(told, 3 * DAY).stages
    assert (shadow.name, shadow.length, shadow.said) == ("shadow", 14 * DAY + timedelta(minutes=1), ())
    assert (ramp.name, ramp.said[-1].verdict) == ("ramp-5%", "safe")
    assert 3 * DAY < ramp.length < 3 * DAY + timedelta(minutes=20)
    told.tell(Event.ROLLOUT_ENDED, **record.ended(told.rollout.current, Standing.ABORTED, "enough"))
    assert learnt(told, 30 * DAY).stages[-1].length < timedelta(minutes=20)
    assert learnt(told, 30 * DAY).length == learnt(told).length


def test_each_change_of_a_setting_has_what_was_said_before_and_after() -> None:
    """One line for both nodes; the other target's change is none of it."""
    (tuned,) = learnt(walked()).tuned
    assert (tuned.change.key, tuned.change.old, tuned.change.new) == (WEIGHT, 0.1, 0.2)
    assert tuned.nodes == ("a", "b")
    assert tuned.stage == "ramp-5%"
    assert tuned.before is not None
    assert tuned.after is not None
    assert (tuned.before.verdict, tuned.after.verdict) == ("inconclusive", "safe")


def test_what_was_changed_before_the_rollout_or_after_its_end_is_not_its_own() -> None:
    """Only what lies between its first entry and its last."""
    told = walked()
    told.tell(Event.ROLLOUT_ENDED, **record.ended(told.rollout.current, Standing.ABORTED, "enough"))
    tune(told, "t3", 0.2, 0.3)
    assert [each.change.run for each in learnt(told).tuned] == ["t1"]


def test_the_page_has_all_of_it_and_nothing_of_an_empty_rollout() -> None:
    """Tables where there is something, a sentence where there is not."""
    page = learnings_page(learnt(walked()))
    assert f"| `{WEIGHT}` | 0.1 | 0.2 | a, b | ramp-5% | anna@here, config set: try | " in page
    assert "inconclusive (judge, look 1) | safe (judge, look 2) |" in page
    empty = learnings_page(learnt(Told()))
    for said in (
        "No stage was entered.",
        "No setting was changed.",
        "Nobody approved anything.",
        "No bundle was written.",
    ):
        assert said in empty
    assert ROLLOUT in empty


def test_the_gates_that_let_it_go_on_are_kept_with_their_sums() -> None:
    """As they were when they were passed, into the stage and to the end; what is none is passed over."""
    told = walked()
    gate = Gate("judge: latency", Answer.YES, "+1 % | safe")
    stages = told.rollout.plan.stages
    told.tell(Event.ROLLOUT_ENTERING, **record.entering(stages[2], "r2", (), (gate,)))
    told.tell(Event.ROLLOUT_CHECKED, stage=2, gates="none")
    ended = record.ended(stages[2], Standing.COMPLETED, "done") | record.passed((gate,))
    told.tell(Event.ROLLOUT_ENDED, **ended)
    assert [(each.into, each.gate) for each in learnt(told).passed] == [
        ("ramp-50%", "judge: latency"),
        ("", "judge: latency"),
    ]
    assert "| its end | judge: latency | +1 % \\| safe |" in learnings_page(learnt(told))


def test_arms_are_counted_by_hash_and_named_spaces_are_in_neither() -> None:
    """5 % and 50 % of two hundred spaces; a whole share has no arms; a stage that is not judged is not told."""
    judging = Judging((Guardrail(Metric.LATENCY, 0.1),), DAY)
    plan = replace(PLAN, phases=(SHADOW, replace(RAMP, judging=judging, spaces=("space-0",))))
    spaces = [f"space-{number}" for number in range(200)]
    five, fifty = arms_of_plan(plan, spaces)
    assert (five.stage.name, fifty.stage.name) == ("ramp-5%", "ramp-50%")
    assert five.few
    assert 0 < five.treated < 30
    assert 60 < fifty.treated < 120
    assert not fifty.few
    assert five.treated + fifty.treated + fifty.controls <= 199
    assert list(arms_of_plan(PLAN, spaces)) == []


def test_a_baseline_is_asked_for_what_the_plan_compares_with_it() -> None:
    """An absolute limit needs none."""
    assert compared(PLAN) == ()
    assert [quantity.metric for quantity in asked(SHADOW)] == ["engram_concepts_formed_total"]
