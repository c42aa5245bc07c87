"""A rollout whose traffic is split in front of its nodes: nodes treat nobody, the splitters have the share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from rollout_world import BLENDED, BY_ITSELF, CONCEPTS, HOLD, NAMES, PLAN, RATE, SALT, SPACES, Scene, scene, walked
from test_rollout_every_interruption import sweep

from runbook.adapters.memory.access import WELL, MemoryAccessLogs
from runbook.engine.brake_record import Wish
from runbook.engine.history import runs_of
from runbook.engine.rollout import look as looking
from runbook.engine.rollout import say
from runbook.engine.rollout.crew import Acted
from runbook.engine.rollout.enter import start
from runbook.engine.rollout.gates.access import ACCESS
from runbook.engine.rollout.mend import mend, mending
from runbook.engine.rollout.revert import Why, blind
from runbook.engine.rollout.splitters import agreed, check_without
from runbook.engine.rollout.values import UNSPLIT, drift, steps_into
from runbook.engine.rollout.watch import Until, Watched
from runbook.errors import ExitCode, InterruptedRunError, RefusedError, UnreachableError, UsageError
from runbook.model.access import AccessReport
from runbook.model.answer import Answer
from runbook.model.brake import Rollback
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.judgement import Judgement, Verdict
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.play import PlayRequest, TogetherRequest
from runbook.model.rails import Rails
from runbook.model.rollout import Standing
from runbook.model.run import RunStatus
from runbook.model.settings import Value
from runbook.model.target import Node, Way
from runbook.report.rollout_acted import rollout_data

SPLITTERS = ("s1", "s2")
SPLIT = "split_traffic"


def splits(made: Scene) -> list[Mapping[str, Value]]:
    """What the splitters split by."""
    return [made.settings[name] for name in SPLITTERS]


def treated_by_nodes(made: Scene) -> set[tuple[Value, Value]]:
    """Share and named spaces of the nodes themselves."""
    return {(made.settings[name][RATE], made.settings[name][SPACES]) for name in NAMES}


def gone_back(made: Scene) -> bool:
    """Are the flags off, and is nobody treated, neither by a splitter nor by a node?"""
    flags = {made.settings[name][flag] for name in NAMES for flag in (BLENDED, CONCEPTS)}
    nobody = all((each[RATE], each[SPACES]) == (0.0, ()) for each in splits(made))
    return flags == {False} and treated_by_nodes(made) == {(0.0, ())} and nobody


def at_stage(made: Scene, share: float) -> bool:
    """Do the splitters treat that share with the plan's salt, and the nodes nobody?"""
    mine = {RATE: share, SALT: "pepper", SPACES: ("ours",) if share else ()}
    return all(each == mine for each in splits(made)) and treated_by_nodes(made) == {(0.0, ())}


def planned(made: Scene, stage: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """The steps into that stage: play, setting, hosts."""
    target = made.world.target
    settings = made.world.ports.read.nodes.settings(target.hosts)
    steps = steps_into(target, settings, PLAN, PLAN.stages[stage]).steps
    assert [step.index for step in steps] == list(range(1, len(steps) + 1))
    return [(step.do, step.key, tuple(change.node for change in step.changes)) for step in steps]


def test_nodes_are_set_before_splitters_and_the_share_comes_last() -> None:
    """A node that treats everybody goes to nothing before anything else; a splitter has its own play, both ways."""
    made = scene(splitters=SPLITTERS)
    first = planned(made, 1)
    assert first[0] == ("set_config", RATE, NAMES)
    assert [step for step in first if step[0] == SPLIT] == first[-3:]
    assert first[-3:] == [(SPLIT, SALT, SPLITTERS), (SPLIT, SPACES, SPLITTERS), (SPLIT, RATE, SPLITTERS)]
    steps = steps_into(made.world.target, made.settings, PLAN, PLAN.stages[1]).steps
    assert {step.undo for step in steps if step.do == SPLIT} == {UNSPLIT}
    assert not any(change.node in NAMES for step in steps if step.do == SPLIT for change in step.changes)


def test_a_share_that_is_too_high_or_of_another_salt_goes_to_nothing_first() -> None:
    """On the splitters as on nodes; nobody is moved twice."""
    made = scene(splitters=SPLITTERS)
    made.world.fleet.settings["s1"] |= {RATE: 0.5, SALT: "pepper"}
    assert planned(made, 1)[1] == (SPLIT, RATE, ("s1",))
    made.world.fleet.settings["s1"] |= {RATE: 0.1, SALT: "of another rollout"}
    assert planned(made, 1)[1] == (SPLIT, RATE, ("s1",))
    made.world.fleet.settings["s1"] |= {RATE: 0.1, SALT: "pepper"}
    assert [step for step in planned(made, 1) if step[:2] == (SPLIT, RATE)] == [(SPLIT, RATE, SPLITTERS)]


def test_a_whole_rollout_is_split_by_the_splitters() -> None:
    """From nobody to a quarter to half; then back: the brake first, then every splitter at once, by one play."""
    made = scene(splitters=SPLITTERS)
    assert made.start().code is ExitCode.DONE
    assert at_stage(made, 0.0)
    assert made.rollout.splitters == SPLITTERS
    assert rollout_data(made.rollout)["splitters"] == list(SPLITTERS)
    for share in (0.25, 0.5):
        made.wait()
        assert made.advance().code is ExitCode.DONE
        assert at_stage(made, share)
    flags: list[Value] = []
    played: list[TogetherRequest] = []

    def before(request: TogetherRequest) -> None:
        flags.extend(made.settings[name][BLENDED] for name in NAMES)
        played.append(request)

    made.world.plays.before_together = before
    assert made.abort().code is ExitCode.DONE
    assert set(flags) == {False}
    (back,) = played  # share and named spaces at once: nginx is reloaded once
    nobody = {RATE: dict.fromkeys(SPLITTERS, 0.0), SPACES: dict.fromkeys(SPLITTERS, ())}
    assert (back.playbook, back.values) == (UNSPLIT, nobody)
    assert gone_back(made)
    assert made.rollout.standing is Standing.ABORTED


def test_a_splitter_is_changed_under_the_leases_of_every_node_behind_it() -> None:
    """It knows none itself: another machine's run is kept off all the same."""
    made = walked(1, splitters=SPLITTERS)
    held: list[set[str]] = []

    def before(request: PlayRequest) -> None:
        if request.playbook == SPLIT:
            held.append(set(made.world.admin.leases))

    made.world.plays.before = before
    made.wait()
    assert made.advance().code is ExitCode.DONE
    assert held == [set(NAMES)]
    assert made.world.admin.leases == {}


def test_the_rail_on_hosts_counts_the_nodes_behind_a_splitter() -> None:
    """A higher share is done on every node, whoever says it: the same rail holds it up, and no splitter counts."""
    made = walked(1, splitters=SPLITTERS)
    made.wait()
    target = made.world.target
    made.world.target = replace(target, rails=Rails(max_hosts_per_run=2))
    with pytest.raises(RefusedError, match="would change 3 nodes"):
        made.advance()
    made.world.target = replace(target, rails=Rails(max_hosts_per_run=3))
    assert made.advance().code is ExitCode.DONE


def test_a_splitter_that_is_silent_lets_no_stage_be_entered() -> None:
    """Whom it treats is not known: nothing is changed, and nothing is journaled."""
    made = scene(splitters=SPLITTERS)
    made.world.admin.silent["s2"] = "connection refused"
    with pytest.raises(UnreachableError, match="s2: connection refused"):
        made.start()
    assert list(made.world.journal.entries()) == []
    made.world.admin.silent.clear()
    made.start()
    made.wait()
    made.world.admin.silent["s2"] = "connection refused"
    assert made.advance().code is ExitCode.COULD_NOT_TELL
    assert at_stage(made, 0.0)


@pytest.mark.parametrize("change", [{"salt": "it's"}, {"phases": "a b"}])
def test_a_plan_that_no_splitter_can_be_told_is_not_started(change: dict[str, str]) -> None:
    """The third phase would be the first to fail, weeks later; nodes that split by themselves take it."""
    plan = replace(PLAN, salt=change.get("salt", PLAN.salt))
    if "phases" in change:
        *most, last = PLAN.phases
        plan = replace(PLAN, phases=(*most, replace(last, spaces=(change["phases"],))))
    made = scene(splitters=SPLITTERS)
    with pytest.raises(RefusedError, match="no splitter t"):
        start(made.crew, plan, "r-1", "it is time")
    assert list(made.world.journal.entries()) == []
    assert start(scene().crew, plan, "r-1", "it is time").code is ExitCode.DONE


def test_an_nginx_that_refuses_the_stage_is_put_back_and_so_are_the_nodes() -> None:
    """The step fails on one splitter: the other one and every node go back to the stage before."""
    made = walked(1, splitters=SPLITTERS)
    made.wait()
    made.world.plays.inner.ignoring.add("s2")
    assert made.advance().code is ExitCode.STEP_FAILED
    assert at_stage(made, 0.25)
    assert (made.rollout.standing, made.rollout.stage) == (Standing.HELD, 1)


@pytest.mark.parametrize("broken", ["dead", "refusing"])
def test_a_splitter_that_cannot_be_set_back_is_told_and_given_again(broken: str) -> None:
    """The flags are off all the same, the other splitter is at nothing, 5; given again later it ends."""
    made = walked(1, splitters=SPLITTERS)
    plays = made.world.plays.inner
    if broken == "dead":
        plays.unreachable.add("s2")
        made.world.admin.silent["s2"] = "no route to host"
    else:
        plays.ignoring.add("s2")
    acted = made.abort()
    assert acted.code is ExitCode.PARTIAL
    assert acted.told.count("s2: ") == 1  # two settings, of one play
    assert f"s2: {RATE}, {SPACES}: " in acted.told
    assert "off on 3 of 3 nodes" in acted.told
    assert made.rollout.standing is Standing.REVERTING
    assert made.settings["s1"][RATE] == 0.0
    assert {made.settings[name][BLENDED] for name in NAMES} == {False}
    plays.unreachable.clear()
    plays.ignoring.clear()
    made.world.admin.silent.clear()
    assert made.abort().code is ExitCode.DONE
    assert gone_back(made)
    assert made.rollout.standing is Standing.ABORTED
    assert not [run for run in runs_of(made.crew.entries()).values() if run.status is RunStatus.PARTIAL]


def test_a_watch_names_a_splitter_and_a_source_that_are_silent() -> None:
    """Clients that reach nobody make no errors on any node: only asking the splitter tells."""
    made = walked(1, splitters=SPLITTERS)
    made.world.admin.silent["s2"] = "connection refused"
    made.silent["b"] = "no metrics"
    last = made.watch(once=True).last
    assert "; silent: s2: connection refused" in last.told
    assert "b: no metrics" in last.told
    assert {each.node for each in last.quiet} == {"s2", "b"}
    assert last.code is ExitCode.COULD_NOT_TELL
    made.world.admin.silent.clear()
    made.silent.clear()
    last = made.watch(once=True).last
    assert "silent" not in last.told
    assert last.quiet == ()


@pytest.mark.parametrize("by", ["tripwire", "judge", "tripwire while a stage is being entered"])
def test_what_takes_a_rollout_back_waits_for_no_splitter_that_hangs(monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """They are asked once a look knows that nothing takes it back: between its begin and the brake there is none."""
    made = walked(1, splitters=SPLITTERS)
    found = Judgement("", (), None, Verdict.HARM, "slower")
    if by == "judge":
        monkeypatch.setattr(looking, "due", lambda *_: (1, None))
        monkeypatch.setattr(looking, "judged", lambda *_: found)
    else:
        made.failing = dict.fromkeys(NAMES, 33.0)
    if by.endswith("entered"):
        details = {"stage": 1, "name": "ramp", "run": "20261122T230000-dddd", "backups": [], "gates": []}
        made.world.journal.append(Event.ROLLOUT_ENTERING, made.rollout.id, details)
        assert made.rollout.standing is Standing.ENTERING
    calls, admin = made.world.wire.calls, made.world.admin

    class Hanging:
        """The nodes, and splitters that are waited for in vain."""

        lease = admin.lease

        def settings(self, hosts: Sequence[Node]) -> NodeSettings:
            hung = [host.name for host in hosts if host.way is Way.NGINX]
            if hung:
                calls.append("a splitter hangs")
            return {**admin.settings(hosts), **{name: Silence(name, "timed out") for name in hung}}

    made.world.with_(read=replace(made.world.ports.read, nodes=Hanging()))
    assert made.watch(seconds=120).code is ExitCode.BAD_NEWS
    assert made.settings["s1"][RATE] == 0.0
    brake = calls.index("brake.pull")
    begun = max((at for at, call in enumerate(calls[:brake]) if call == "clock.sleep"), default=0)
    assert "a splitter hangs" not in calls[begun:brake]
    assert "a splitter hangs" in calls[brake:]


def test_a_node_that_does_not_answer_holds_the_share_up_for_no_moment() -> None:
    """It is tried until the deadline; what splits the traffic treats nobody long before, between two last looks."""
    made = walked(1, splitters=SPLITTERS)
    made.brake.clock = clock = made.world.ports.read.clock
    for silent in (made.brake.unreachable, made.world.plays.inner.unreachable):
        silent.add("b")
    at: list[float] = []
    made.world.plays.before_together = lambda _: at.append(clock.monotonic())
    usual, asked = made.world.ports.read.nodes.settings, list[str]()

    def settings(hosts: Sequence[Node]) -> NodeSettings:
        if not at:
            asked.extend(each.name for each in hosts)
        return usual(hosts)

    vars(made.world.ports.read.nodes)["settings"] = settings
    begun = clock.monotonic()
    acted = made.abort()
    assert sorted(asked) == ["a", "c", *SPLITTERS]  # one that hangs would be waited for
    assert (acted.code, "off on 2 of 3 nodes" in acted.told) == (ExitCode.PARTIAL, True)
    assert {each[RATE] for each in splits(made)} == {0.0}
    assert at[0] - begun < 3
    assert clock.monotonic() - begun >= 5
    calls = [call for call in made.world.wire.calls if call in {"brake.pull", "plays.run_together"}]
    assert calls == ["brake.pull"] * 2 + ["plays.run_together"] * 2 + ["brake.pull"]  # of splitters; of the silent node


def test_whatever_breaks_on_the_way_to_the_share_the_brake_comes_to_its_end() -> None:
    """It is told, and given again; the brake has looked a last time, and its run has ended."""
    made = walked(1, splitters=SPLITTERS)
    usual = made.world.ports.read.nodes.settings

    def broken(_: object) -> NodeSettings:
        raise ValueError("a bug")

    vars(made.world.ports.read.nodes)["settings"] = broken
    acted = made.abort()
    assert (acted.code, made.rollout.standing) == (ExitCode.PARTIAL, Standing.REVERTING)
    assert "the share: ValueError: a bug" in acted.told
    assert acted.rolled is not None
    assert {each.last_look for each in acted.rolled.nodes} == {"off"}
    vars(made.world.ports.read.nodes)["settings"] = usual
    assert made.abort().code is ExitCode.DONE
    assert gone_back(made)


def test_a_splitter_that_says_that_it_has_no_share_is_set_back_all_the_same() -> None:
    """Its file may hold the share that a play was putting there when it was killed: only the play sees to that."""
    made = scene(splitters=SPLITTERS)
    made.start()
    assert at_stage(made, 0.0)
    played: list[tuple[str | tuple[str, ...], ...]] = []
    made.world.plays.before_together = lambda request: played.append((*request.values, request.hosts))
    made.world.plays.inner.unreachable.add("s2")
    acted = made.abort()
    assert (acted.code, made.rollout.standing) == (ExitCode.PARTIAL, Standing.REVERTING)
    assert f"s2: {RATE}: no connection" in acted.told
    made.world.plays.inner.unreachable.clear()
    assert made.abort().code is ExitCode.DONE
    assert played == [(RATE, SPLITTERS), (RATE, SPLITTERS)]


def test_a_brake_beside_a_way_back_ends_no_play_of_it() -> None:
    """As of a process that was entering a stage, and takes back what it may have set: two at once both take off."""
    made = walked(1, splitters=SPLITTERS)
    ended: list[str] = []
    made.world.plays.end = lambda mark: ended.append(mark) or 1  # type: ignore[func-returns-value, method-assign]  # records
    pulled: list[str] = []

    def before(request: TogetherRequest) -> None:
        if not pulled:
            pulled.append(request.mark)
            made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "beside it", 5.0, "rollback features"))

    made.world.plays.before_together = before
    assert made.abort().code is ExitCode.DONE
    assert (len(pulled), ended) == (1, [])


def test_what_no_journal_tells_is_taken_off_the_splitters_too() -> None:
    """Blindly: everything off, the share of every splitter to nothing."""
    made = walked(2, splitters=SPLITTERS)
    _, left = blind(made.crew, Why("person", "nobody knows", Standing.ABORTED, 5.0))
    assert left.told == ()
    assert gone_back(made)


def drifts(made: Scene) -> Sequence[str]:
    """What the gate would be told."""
    target = made.world.target
    return drift(target, made.rollout, made.world.ports.read.nodes.settings(target.hosts))


def test_a_splitter_that_comes_goes_or_is_changed_shuts_the_gate() -> None:
    """Gone: until somebody agrees to those that are left. New: until it splits as the stage wants it."""
    made = walked(1, splitters=SPLITTERS)
    assert drifts(made) == ()
    made.world.fleet.settings["s2"][RATE] = 1.0
    assert drifts(made) == (f"s2: {RATE} is 1, not 0.25",)
    made.split_by("s1")
    (told,) = drifts(made)
    assert told.startswith("s2 was told to split")
    made.wait()
    assert made.advance().code is ExitCode.REFUSED
    journal = made.world.journal
    with pytest.raises(RefusedError, match=r"s2 split the traffic of .*: whom it treats is not known"):
        check_without(made.rollout, made.world.target, ())
    with pytest.raises(UsageError, match="--without s1"):
        check_without(made.rollout, made.world.target, ("s1", "s2"))
    check_without(made.rollout, made.world.target, ("s2",))
    say.hold(journal, made.rollout, "s2 is gone")
    said = say.release(journal, made.rollout, "it is switched off", agreed(made.rollout, made.world.target))
    assert "s2 is no splitter of it any more" in said.told
    assert (made.rollout.splitters, drifts(made)) == (("s1",), ())
    made.world.fleet.settings["s3"] = {RATE: 0.0, SALT: "new", SPACES: ()}
    made.split_by("s1", "s3")
    assert len(drifts(made)) == 3
    assert made.advance().code is ExitCode.REFUSED


def test_a_target_that_gets_its_first_splitter_or_loses_its_last_is_told() -> None:
    """The nodes have the share then, or nobody has it."""
    made = walked(1)
    made.world.fleet.settings["s1"] = {RATE: 0.0, SALT: "new", SPACES: ()}
    made.split_by("s1")
    assert f"a: {RATE} is 0.25, not 0" in drifts(made)
    other = walked(1, splitters=SPLITTERS)
    other.split_by()
    assert f"a: {RATE} is 0, not 0.25" in drifts(other)
    acted = other.abort()
    assert acted.code is ExitCode.DONE
    assert "NOT ASKED: s1 was told to split" in acted.told


def resumed(made: Scene) -> Acted | None:
    """Held, and let go, as `runbook rollout resume` does it."""
    journal = made.world.journal
    say.hold(journal, made.rollout, "a splitter was replaced")
    with made.crew.alone(made.rollout.id):
        steps = mending(made.crew, made.rollout)
        acted = mend(made.crew, made.rollout, steps, "as before") if steps else None
    if acted is None or acted.code is ExitCode.DONE:
        say.release(journal, made.rollout, "as before", agreed(made.rollout, made.world.target))
    return acted


def test_a_splitter_that_was_replaced_is_set_when_a_person_lets_the_rollout_go() -> None:
    """It splits by the stage's salt, names and share; no stage is entered for it, so its time is not begun anew."""
    made = walked(1, splitters=SPLITTERS)
    assert resumed(made) is None
    made.world.fleet.settings["s2"] = {RATE: 1.0, SALT: "new", SPACES: ()}
    entered = made.rollout.entered
    hosts: set[str] = set()
    made.world.plays.before = lambda request: hosts.update(request.hosts)
    acted = resumed(made)
    assert acted is not None
    assert (acted.code, hosts) == (ExitCode.DONE, {"s2"})
    assert at_stage(made, 0.25)
    assert (made.rollout.standing, made.rollout.entered, drifts(made)) == (Standing.RUNNING, entered, ())
    advanced(made)
    assert at_stage(made, 0.5)


def test_a_splitter_that_cannot_be_set_keeps_the_rollout_held() -> None:
    """What it split by is put back; and after the brake no share comes back at all."""
    made = walked(1, splitters=SPLITTERS)
    made.world.fleet.settings["s2"] = {RATE: 0.0, SALT: "pepper", SPACES: ("ours",)}
    made.world.plays.inner.ignoring.add("s2")
    acted = resumed(made)
    assert acted is not None
    assert (acted.code, made.rollout.standing) == (ExitCode.STEP_FAILED, Standing.HELD)
    assert made.settings["s2"][RATE] == 0.0
    made.world.plays.inner.ignoring.clear()
    held, steps = made.rollout, mending(made.crew, made.rollout)
    made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "bad", 5.0, "rollback features"))
    with pytest.raises(RefusedError, match="brake was pulled"):
        resumed(made)
    with pytest.raises(RefusedError, match="brake was pulled"):  # while a person was asked about these steps
        mend(made.crew, held, steps, "as before")
    assert made.settings["s2"][RATE] == 0.0
    assert made.abort().code is ExitCode.DONE
    with pytest.raises(RefusedError, match="gone on meanwhile: aborted"):
        say.release(made.world.journal, held, "as before")


def test_a_share_that_is_mended_while_the_rollout_is_taken_back_goes_back_too() -> None:
    """The play was on its way when everything else had been read back: it is the last one that looks."""
    made = walked(1, splitters=SPLITTERS)
    made.world.fleet.settings["s2"] = {RATE: 0.0, SALT: "pepper", SPACES: ("ours",)}
    ended: list[ExitCode] = []

    def before(request: PlayRequest) -> None:
        if request.playbook == SPLIT and not ended:
            ended.append(made.abort().code)

    made.world.plays.before = before
    acted = resumed(made)
    assert ended == [ExitCode.DONE]
    assert acted is not None
    assert (acted.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ABORTED)
    assert gone_back(made)


def test_a_signal_while_access_logs_are_read_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks once reads them itself; that it was interrupted is no reason why a stage is held up."""
    made = walked(0, BY_ITSELF, splitters=SPLITTERS)

    def interrupted(*_: object) -> AccessReport:
        raise InterruptedRunError("the play read_access_log was interrupted")

    monkeypatch.setattr(MemoryAccessLogs, "report", interrupted)
    with pytest.raises(InterruptedRunError):
        made.watch(seconds=20)


def test_access_logs_are_read_once_every_other_gate_is_passed() -> None:
    """In nobody's way: the watch reads them when it would go on, holds on what they say, and goes on by it."""
    made = walked(0, BY_ITSELF, splitters=SPLITTERS)
    made.world.admin.silent["s2"] = "connection refused"
    made.watch(seconds=20)
    assert made.logs.asked == []
    made.world.admin.silent.clear()
    made.logs.found = None
    watched = made.watch(seconds=6)
    assert (made.rollout.stage, watched.last.told.rsplit("; ", 1)[-1].partition(" on ")[0]) == (
        0,
        f"held by {ACCESS} (they are being read",
    )
    assert _logs_gate(watched).arithmetic in watched.last.told
    made.logs.found = replace(WELL, silent=(Silence("s2", "no permission"),))
    assert "s2: no permission" in _logs_gate(made.watch(seconds=6)).arithmetic
    made.logs.found = WELL
    made.watch(Until.STAGE)
    assert made.rollout.stage == 1
    entering = [each for each in made.world.journal.entries() if each.event is Event.ROLLOUT_ENTERING]
    (told,) = [each for each in entering[-1].details["gates"] if each["name"] == ACCESS]
    assert told["arithmetic"] == "200 recalls of 20 spaces through s1, each space in its group"
    assert set(made.logs.asked) == {0}


def _logs_gate(watched: Watched) -> Gate:
    (gate,) = [each for each in watched.last.gates if each.name == ACCESS]
    assert gate.answer is Answer.UNKNOWN
    return gate


def advanced(made: Scene) -> None:
    """Wait as long as it takes, and go on."""
    made.wait(HOLD)
    assert made.advance().code is ExitCode.DONE


def test_an_advance_cut_off_anywhere_is_gone_on_with_or_taken_back() -> None:
    """No splitter ever has a share that no stage had announced; no node has any."""

    def then(made: Scene, where: str) -> None:
        assert treated_by_nodes(made) == {(0.0, ())}, where
        if made.rollout.stage == 0 or made.rollout.standing is Standing.ENTERING:
            assert made.advance().code is ExitCode.DONE, where
        assert at_stage(made, 0.25), where
        assert made.abort().code is ExitCode.DONE, where
        made.resume_runs()
        assert gone_back(made), where

    assert sweep(lambda: walked(0, splitters=SPLITTERS), advanced, then) > 60


def test_an_abort_cut_off_anywhere_is_brought_to_its_end() -> None:
    """By the watcher, or given again; and nothing that was left open restores a share."""

    def then(made: Scene, where: str) -> None:
        if made.rollout.standing is Standing.REVERTING:
            assert made.watch(once=True).code is ExitCode.BAD_NEWS, where
        elif made.rollout.standing is not Standing.ABORTED:
            assert made.abort().code is ExitCode.DONE, where
        made.resume_runs()
        assert gone_back(made), where

    assert sweep(lambda: walked(2, splitters=SPLITTERS), Scene.abort, then) > 25
