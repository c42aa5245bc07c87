"""The watcher over ports in memory: it rolls back on harm by itself, holds on silence, and remembers in the journal."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from fleet_in_memory import CrashError
from rollout_world import BLENDED, BY_ITSELF, HOLD, NAMES, PLAN, RATE, ROLLOUT, Scene, scene, walked

from runbook.engine.brake_record import Wish
from runbook.engine.carry import carry_out
from runbook.engine.rollout import look as looking
from runbook.engine.rollout.gates import asking
from runbook.engine.rollout.watch import Until, Wishes, watch
from runbook.engine.settings_runs import plan_settings, run_plan
from runbook.errors import ExitCode, LockedError, RefusedError, StorageError, UnreachableError
from runbook.model.answer import Answer
from runbook.model.brake import Rollback
from runbook.model.journal import Event
from runbook.model.judgement import Guardrail, Judged, Judgement, Metric, Verdict
from runbook.model.rollout import FreezeWindow, Judging, RolloutPlan, Standing

SECOND = timedelta(seconds=1)
JUDGED = RolloutPlan(
    **{
        **{name: getattr(PLAN, name) for name in ("name", "title", "bucket", "check_every", "approve_plan", "salt")},
        "phases": (
            PLAN.phases[0],
            replace(PLAN.phases[1], judging=Judging((Guardrail(Metric.LATENCY, 0.1),), 4 * SECOND), hold=12 * SECOND),
        ),
    }
)
UNWIRED = replace(PLAN, phases=tuple(replace(phase, tripwire=None) for phase in PLAN.phases))


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the judge says, look by look; the last one again and again. The judge itself is tested beside its code."""
    given: list[Verdict] = [Verdict.INCONCLUSIVE]

    def judged(crew: object, eyes: object, rollout: Any, now: float) -> Judgement:
        del crew, eyes, now
        verdict = given.pop(0) if len(given) > 1 else given[0]
        return Judgement(rollout.current.name, (), None, verdict, f"as told: {verdict.value}")

    monkeypatch.setattr(looking, "judged", judged)
    return given


def gone_back(made: Scene) -> bool:
    """Is everything off?"""
    return made.rates() == {0.0} and not any(values[BLENDED] for values in made.settings.values())


def checks(made: Scene) -> Iterator[dict[str, str]]:
    """The answers of each journaled check."""
    for entry in made.world.journal.entries():
        if entry.event is Event.ROLLOUT_CHECKED:
            yield {each["title"]: each["answer"] for each in entry.details["answers"]}


def test_all_is_well_and_nothing_is_done() -> None:
    """It ends at the timeout with 4; a check is journaled where an answer changed, and not each time."""
    made = walked(1)
    watched = made.watch(seconds=30)
    assert (watched.code, made.rollout.standing, made.rates()) == (ExitCode.COULD_NOT_TELL, Standing.RUNNING, {0.25})
    assert watched.looks > 10
    assert {each.answer for each in watched.last.asked} == {Answer.NO}
    assert 1 <= len(list(checks(made))) <= 4


def test_once_an_hour_it_is_proof_that_somebody_watches() -> None:
    """Though no answer has changed."""
    made = walked(1, replace(PLAN, check_every=timedelta(minutes=10)))
    made.watch(seconds=1300)
    before = len(list(checks(made)))
    made.watch(seconds=7300)
    assert before + 2 <= len(list(checks(made))) <= before + 4


def test_a_trigger_that_lasts_rolls_back_by_itself() -> None:
    """Not at its first YES, and not before its time; with evidence, and the reason in numbers."""
    made = walked(1, UNWIRED)
    made.failing = {"a": 12.0}
    watched = made.watch()
    assert (watched.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "trigger"
    assert watched.looks >= 3
    assert gone_back(made)
    assert made.bundles
    assert "%" in made.rollout.why


def test_the_tripwire_rolls_back_at_once() -> None:
    """Gross damage is not waited for: a third of the recalls fails."""
    made = walked(1)
    made.failing = dict.fromkeys(NAMES, 33.0)
    watched = made.watch()
    assert watched.code is ExitCode.BAD_NEWS
    assert watched.looks <= 3
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "tripwire"
    assert gone_back(made)


def test_looks_that_take_long_do_not_blind_the_tripwire() -> None:
    """A node that hangs or a store that is busy takes half a minute of each look: the windows grow with it."""
    made = walked(1)
    made.failing = dict.fromkeys(NAMES, 33.0)

    def slow(nodes: object, since: object) -> Any:
        made.wait(timedelta(seconds=30))
        return made.cells.cells(nodes, since)  # type: ignore[arg-type]  # passed on

    made.eyes = replace(made.eyes, source=type("Source", (), {"cells": staticmethod(slow)})())
    assert made.watch(seconds=300).code is ExitCode.BAD_NEWS
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "tripwire"


def test_a_silent_node_is_unknown_and_holds_but_hides_no_damage_of_the_others() -> None:
    """Never NO, never zero."""
    made = walked(1, BY_ITSELF)
    made.silent["b"] = "no connection"
    watched = made.watch(seconds=60)
    assert (watched.code, made.rollout.stage) == (ExitCode.COULD_NOT_TELL, 1)
    assert Answer.UNKNOWN in {each.answer for each in watched.last.asked}
    made.failing = {"a": 60.0, "c": 60.0}
    assert made.watch().code is ExitCode.BAD_NEWS


class Broken:
    """A source of metrics that cannot be reached, or tells what is no number."""

    def __init__(self, inner: Any, value: float | None) -> None:
        self.inner, self.value = inner, value

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def samples(self, nodes: Sequence[Any], names: Sequence[str], window: timedelta) -> Any:
        if self.value is None:
            raise UnreachableError("Prometheus does not answer")
        found = self.inner.samples(nodes, names, window)
        for name, each in found.items():
            series = tuple(
                replace(one, samples=tuple(replace(sample, value=self.value) for sample in one.samples))
                for one in each.series
            )
            found[name] = replace(each, series=series)
        return found


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_source_that_is_down_or_tells_no_numbers_holds(value: float | None) -> None:
    """UNKNOWN for every trigger; nothing is rolled back for it, and nothing goes on."""
    made = walked(1, BY_ITSELF)
    read = made.world.ports.read
    made.world.with_(read=replace(read, probes=Broken(read.probes, value)))
    watched = made.watch(seconds=40)
    assert (watched.code, made.rollout.standing) == (ExitCode.COULD_NOT_TELL, Standing.RUNNING)
    assert {each.answer for each in watched.last.asked} == {Answer.UNKNOWN}
    assert made.rollout.stage == 1


def test_it_goes_on_by_itself_where_the_plan_says_so_with_every_gate() -> None:
    """To the end; each stage had its time."""
    made = scene(BY_ITSELF)
    made.start()
    watched = made.watch()
    assert (watched.code, made.rollout.standing) == (ExitCode.DONE, Standing.COMPLETED)
    entered = made.rollout.entered
    assert [each.stage for each in entered] == [0, 1, 2]
    assert all(after.at - before.at >= HOLD for before, after in pairwise(entered))


def test_it_stops_before_a_phase_that_a_person_leads_on_from() -> None:
    """What `start` does; exit code 0."""
    phases = (replace(BY_ITSELF.phases[0]), PLAN.phases[1])
    made = scene(replace(PLAN, phases=phases))
    made.start()
    watched = made.watch(Until.BY_HAND)
    assert (watched.code, made.rollout.current.name) == (ExitCode.DONE, "ramp-25%")


def test_a_freeze_window_holds_it_and_holds_no_rollback_up() -> None:
    """Nothing is advanced in it."""
    begin = scene().world.ports.read.clock.now()
    window = FreezeWindow(begin + timedelta(minutes=5), begin + timedelta(days=1), "the year ends")
    made = scene(replace(BY_ITSELF, freeze=(window,)))
    made.start()
    made.wait(timedelta(minutes=5))
    assert made.watch(seconds=60).code is ExitCode.COULD_NOT_TELL
    assert made.rollout.stage == 0
    assert made.abort().code is ExitCode.DONE


def test_nothing_is_started_in_a_freeze_window() -> None:
    """A first stage that treats nobody is a change of every node, too; nothing is journaled."""
    begin = scene().world.ports.read.clock.now()
    made = scene(replace(PLAN, freeze=(FreezeWindow(begin, begin + timedelta(days=1), "the year ends"),)))
    with pytest.raises(RefusedError, match="the year ends"):
        made.start()
    assert list(made.world.journal.entries()) == []
    made.wait(timedelta(days=1))
    assert made.start().code is ExitCode.DONE


def test_an_entering_that_was_cut_off_is_not_gone_on_with_in_a_freeze_window() -> None:
    """Weeks may lie between; it holds until the window is over, and goes on then."""
    begin = scene().world.ports.read.clock.now()
    window = FreezeWindow(begin + timedelta(hours=1), begin + timedelta(hours=2), "the year ends")
    made = walked(1, replace(PLAN, freeze=(window,)))
    entering = {"stage": 2, "name": "ramp-50%", "run": "20261122T220000-ffff"}
    made.world.journal.append(Event.ROLLOUT_ENTERING, ROLLOUT, entering)
    made.wait(timedelta(hours=1))
    watched = made.watch(Until.STAGE, seconds=60)
    assert (made.rollout.standing, made.rates()) == (Standing.ENTERING, {0.25})
    assert "the year ends" in watched.last.told
    made.wait(timedelta(hours=1))
    assert made.watch(once=True).rollout.standing is Standing.RUNNING
    assert made.rates() == {0.5}


def test_a_held_rollout_is_watched_on() -> None:
    """It goes no further, and harm still rolls it back."""
    made = walked(1, BY_ITSELF)
    made.world.journal.append(Event.ROLLOUT_HELD, ROLLOUT, {"stage": 1, "why": "a storm", "by": "person"})
    made.watch(seconds=30)
    assert (made.rollout.standing, made.rollout.stage) == (Standing.HELD, 1)
    made.failing = dict.fromkeys(NAMES, 60.0)
    assert made.watch().code is ExitCode.BAD_NEWS
    assert gone_back(made)


def test_each_planned_look_is_taken_once_also_after_a_restart(verdicts: list[Verdict]) -> None:
    """Alpha is spent by them: what was looked at before is not looked at again."""
    assert verdicts
    made = walked(1, JUDGED)
    made.watch(seconds=9)
    assert made.rollout.looks == 2
    made.watch(seconds=1)
    made.watch(seconds=9)
    planned = [
        each.details["look"]
        for each in made.world.journal.entries()
        if each.event is Event.ROLLOUT_JUDGED and each.details.get("planned", True)
    ]
    assert planned == sorted(set(planned)) == [1, 2, 3]


def test_harm_by_the_judge_rolls_back_and_a_verdict_ends_the_watch(verdicts: list[Verdict]) -> None:
    """Exit code 3, told by whom; `safe` is 0."""
    made = walked(1, JUDGED)
    verdicts[:] = [Verdict.INCONCLUSIVE, Verdict.HARM]
    watched = made.watch(Until.VERDICT)
    assert (watched.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "judge"
    assert gone_back(made)
    made = walked(1, JUDGED)
    verdicts[:] = [Verdict.INCONCLUSIVE, Verdict.SAFE]
    assert made.watch(Until.VERDICT).code is ExitCode.DONE
    assert made.rollout.standing is Standing.RUNNING


class Full:
    """A journal whose disk is full: it reads, and takes nothing but what is put into its second place."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def append(self, *_: object) -> None:
        raise looking.StorageError("no space left on device")


def test_harm_that_was_journaled_and_not_acted_on_is(verdicts: list[Verdict]) -> None:
    """By a watcher that was killed there, or by an `advance`, which only refuses: who watches next rolls back."""
    assert verdicts
    made = walked(1, JUDGED)
    made.watch(seconds=5)
    found = {"stage": 1, "name": "ramp-25%", "look": 2, "verdict": "harm", "why": "as told", "judgement": {}}
    made.world.journal.append(Event.ROLLOUT_JUDGED, ROLLOUT, found)
    watched = made.watch(once=True)
    assert (watched.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "judge"
    assert gone_back(made)


def test_harm_that_an_advance_finds_between_two_looks_is_taken_back_by_who_watches(
    verdicts: list[Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses to go on, and does not keep what it knows to itself."""
    made = walked(1, JUDGED)
    made.watch(seconds=5)
    told = Judgement(made.rollout.current.name, (), None, Verdict.HARM, "as told: harm")
    monkeypatch.setattr(asking, "judged", lambda *_: told)
    assert made.advance().code is ExitCode.REFUSED
    assert verdicts == [Verdict.INCONCLUSIVE]
    assert made.watch(once=True).code is ExitCode.BAD_NEWS
    assert gone_back(made)


def test_a_stage_is_not_left_by_itself_on_a_verdict_of_an_earlier_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate was shut for a while; once it opens the judge is asked again, and what it finds then is acted on."""
    judging = Judging((Guardrail(Metric.LATENCY, 0.1),), 12 * SECOND, required=False)
    phases = (BY_ITSELF.phases[0], replace(BY_ITSELF.phases[1], judging=judging, hold=12 * SECOND, complaints=3))
    made = walked(1, replace(BY_ITSELF, phases=phases))
    verdicts = [Verdict.SAFE, Verdict.HARM]

    def judged(*_: object) -> Judgement:
        verdict = verdicts.pop(0) if len(verdicts) > 1 else verdicts[0]
        found = Judged(judging.guardrails[0], verdict, None, 0, 0, "as told", "as told")
        return Judgement("ramp-25%", (found,), None, verdict, "as told")

    monkeypatch.setattr(looking, "judged", judged)
    begun, said = made.world.ports.read.clock.now(), []

    def later(nodes: object, since: object) -> Any:
        if not said and made.world.ports.read.clock.now() - begun > 15 * SECOND:
            said.append({"stage": 1, "name": "ramp-25%", "complaints": 0, "text": ""})
            made.world.journal.append(Event.ROLLOUT_NOTED, ROLLOUT, said[0])
        return made.cells.cells(nodes, since)  # type: ignore[arg-type]  # passed on

    made.eyes = replace(made.eyes, source=type("Source", (), {"cells": staticmethod(later)})())
    made.watch(seconds=20)
    assert (len(said), made.rollout.looks) == (1, 1)
    assert (made.rollout.standing, made.rollout.stage) == (Standing.ROLLED_BACK, 1)


def test_a_journal_that_takes_no_look_keeps_nobody_from_rolling_back(verdicts: list[Verdict]) -> None:
    """Said, and rolled back all the same."""
    made = walked(1, JUDGED)
    verdicts[:] = [Verdict.HARM]
    whole = made.world.ports.journal

    made.world.with_(journal=Full(whole))
    assert made.watch().code is ExitCode.BAD_NEWS
    assert gone_back(made)
    assert any("NOT JOURNALED" in said for said in made.world.talk.said)
    made.world.with_(journal=whole)
    assert made.rollout.standing is Standing.ROLLED_BACK


def test_a_trigger_that_lasts_fires_where_the_journal_takes_no_check() -> None:
    """How long it has been YES is counted by who watches, too: a full disk keeps no harm alive."""
    made = walked(1, UNWIRED)
    made.failing = {"a": 12.0}
    whole = made.world.ports.journal
    made.world.with_(journal=Full(whole))
    watched = made.watch()
    assert watched.code is ExitCode.BAD_NEWS
    assert "YES for" in watched.rollout.why
    assert gone_back(made)


def test_an_entering_that_a_silent_node_keeps_from_its_end_is_watched_all_the_same() -> None:
    """It was cut off, and cannot go on: that ends no watch, and gross damage on the other nodes rolls back."""
    made = walked(1)
    entering = {"stage": 2, "name": "ramp-50%", "run": "20261122T220000-ffff"}
    made.world.journal.append(Event.ROLLOUT_ENTERING, ROLLOUT, entering)
    made.world.admin.silent["c"] = "no connection"
    watched = made.watch(seconds=20)
    assert (watched.code, made.rollout.standing) == (ExitCode.COULD_NOT_TELL, Standing.ENTERING)
    assert "cannot be entered" in watched.last.told
    made.failing = dict.fromkeys(NAMES, 33.0)
    made.watch(seconds=40)
    (entry,) = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_REVERTING]
    assert entry.details["by"] == "tripwire"
    assert gone_back(made)


def test_a_second_watcher_on_the_same_target_is_refused() -> None:
    """11."""
    made = walked(1)
    with made.world.locks.hold("watch-fleet", ROLLOUT), pytest.raises(LockedError):
        made.watch(once=True)


def test_where_the_disk_takes_no_lock_it_is_watched_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins to watch on a full disk says so, and takes harm back as ever."""
    made = walked(1)

    def full(name: str, run: str) -> AbstractContextManager[None]:
        raise StorageError(f"cannot lock {name} for {run}: no space is left on the disk")

    monkeypatch.setattr(made.world.locks, "hold", full)
    made.failing = dict.fromkeys(NAMES, 33.0)
    assert made.watch().code is ExitCode.BAD_NEWS
    assert gone_back(made)
    assert any("NO LOCK" in said for said in made.world.talk.said)


def test_an_abort_by_somebody_else_ends_the_watch() -> None:
    """It is noticed by the journal."""
    made = walked(1)
    looks = iter(range(100))

    def aborts(nodes: object, since: object) -> Any:
        if next(looks) == 3:
            made.abort()
        return made.cells.cells(nodes, since)  # type: ignore[arg-type]  # passed on

    made.eyes = replace(made.eyes, source=type("Source", (), {"cells": staticmethod(aborts)})())
    watched = made.watch()
    assert (watched.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ABORTED)
    assert sum(each.event is Event.ROLLOUT_REVERTING for each in made.world.journal.entries()) == 1


def test_who_watches_lets_an_abort_that_is_under_way_end_and_goes_on_with_one_that_was_killed() -> None:
    """Two that take back at once would end each other's plays; one that is cut off is nobody's but the watcher's."""
    made = walked(1)
    back = {"stage": 1, "name": "ramp-25%", "run": "r", "by": "person", "ends_as": "aborted", "why": "enough"}
    made.world.journal.append(Event.ROLLOUT_REVERTING, ROLLOUT, back)
    with made.world.locks.hold("back-fleet", ROLLOUT):
        watched = made.watch(seconds=10)
        assert (watched.code, made.rates()) == (ExitCode.COULD_NOT_TELL, {0.25})
        assert watched.looks > 1
    assert made.watch().code is ExitCode.BAD_NEWS
    assert made.rollout.standing is Standing.ABORTED
    assert gone_back(made)


def test_a_brake_that_somebody_pulled_takes_the_share_back_too() -> None:
    """`runbook rollback features` beside a rollout: the watcher finishes the way back."""
    made = walked(2)
    made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "page 4711", 5.0))
    assert made.rates() == {0.5}
    watched = made.watch()
    assert (watched.code, made.rollout.standing, made.rates()) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK, {0.0})


@pytest.mark.parametrize(("complaints", "standing"), [(4, Standing.RUNNING), (5, Standing.ROLLED_BACK)])
def test_many_complaints_roll_back(complaints: int, standing: Standing) -> None:
    """From the phase's number on; fewer do not."""
    phases = (PLAN.phases[0], replace(PLAN.phases[1], complaints_roll_back=5))
    made = walked(1, replace(PLAN, phases=phases))
    noted = {"stage": 1, "name": "ramp-25%", "complaints": complaints, "text": ""}
    made.world.journal.append(Event.ROLLOUT_NOTED, ROLLOUT, noted)
    made.watch(once=True)
    assert made.rollout.standing is standing
    assert made.rates() == ({0.25} if standing is Standing.RUNNING else {0.0})


def test_a_wall_clock_that_is_set_back_changes_no_answer() -> None:
    """By a day: no time is given away for it, and nothing is rolled back."""
    made = walked(1, BY_ITSELF)
    clock: Any = made.world.ports.read.clock
    clock.set_wall(clock.now() - timedelta(days=1))
    made.watch(seconds=4)
    assert (made.rollout.standing, made.rollout.stage) == (Standing.RUNNING, 1)
    assert made.settings["a"][RATE] == 0.25


def test_a_clock_that_was_ahead_for_a_while_makes_the_judge_skip_no_look(verdicts: list[Verdict]) -> None:
    """Looks that were taken by the wrong time are taken again by the right one, and harm is found at once."""
    made = walked(1, JUDGED)
    clock: Any = made.world.ports.read.clock
    right = clock.now()
    clock.set_wall(right + timedelta(days=30))
    made.watch(once=True)
    assert made.rollout.looks == 3
    clock.set_wall(right + timedelta(seconds=5))
    verdicts[:] = [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.HARM]
    assert made.watch(seconds=8).code is ExitCode.BAD_NEWS
    assert gone_back(made)


def test_a_journal_that_cannot_be_read_for_a_while_ends_no_watch() -> None:
    """It is told, and looked at again; harm that comes then is found."""
    made = walked(1)
    whole = made.world.ports.journal
    reads = iter(range(10_000))

    class Busy:
        def __getattr__(self, name: str) -> Any:
            return getattr(whole, name)

        def entries(self) -> Any:
            if next(reads) < len(NAMES):
                raise looking.StorageError("input/output error")
            return whole.entries()

    rollout = made.rollout
    made.world.with_(journal=Busy())
    made.failing = dict.fromkeys(NAMES, 8.0)
    told: list[str] = []
    wishes = Wishes(Until.END, timedelta(seconds=600))
    watched = watch(made.crew, made.eyes, rollout, wishes, lambda look: told.append(look.told))
    assert watched.code is ExitCode.BAD_NEWS
    assert any("cannot be read now" in text for text in told)
    assert gone_back(made)


def test_a_look_that_an_advance_takes_is_journaled_too(
    verdicts: list[Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one of the planned ones: whoever takes it spends its alpha, and the evidence has it."""
    monkeypatch.setattr(asking, "judged", looking.judged)
    made = walked(1, JUDGED)
    verdicts[:] = [Verdict.INCONCLUSIVE]
    made.wait(9 * SECOND)
    done = made.advance()
    assert done.code is ExitCode.REFUSED
    assert made.rollout.looks == 2
    made.advance()
    assert sum(each.event is Event.ROLLOUT_JUDGED for each in made.world.journal.entries()) == 1


def test_rows_that_cannot_be_kept_or_read_hold_and_harm_no_watch() -> None:
    """A full disk, a damaged file: told, and looked at again."""
    made = walked(1, JUDGED)

    class Refuses:
        def __getattr__(self, name: str) -> Any:
            def refuse(*_: object) -> Any:
                raise looking.StorageError("no space left on device")

            return refuse

    made.eyes = replace(made.eyes, store=Refuses())
    watched = made.watch(seconds=20)
    assert (watched.code, made.rollout.standing) == (ExitCode.COULD_NOT_TELL, Standing.RUNNING)
    assert any("no space left" in text for text in watched.last.rows.told)
    made.failing = dict.fromkeys(NAMES, 60.0)
    assert made.watch().code is ExitCode.BAD_NEWS


def test_nothing_goes_on_by_itself_beside_a_run_that_stands_half_done() -> None:
    """Somebody's run was killed on the target: the watcher holds, and says which."""
    made = walked(1, BY_ITSELF)
    made.world.wire.trip_after = len(made.world.wire.calls) + 12
    with suppress(CrashError):
        settings = made.world.ports.read.nodes.settings(made.world.target.nodes)
        plan = plan_settings("fleet", settings, {"dual_memory.min_cluster_size": 7})
        carry_out(made.world.context, run_plan(plan, "20261122T230000-dddd", "config set", "tuning"))
    made.world.wire.trip_after = None
    watched = made.watch(seconds=40)
    assert (watched.code, made.rollout.stage) == (ExitCode.COULD_NOT_TELL, 1)
    assert "open run" in {gate.name for gate in watched.last.gates if not gate.open}
