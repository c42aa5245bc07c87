"""The emergency brake: flags off over HTTP on all nodes at once, then the play that makes it durable; either is enough.

It waits for no lock, no lease and no question of anybody, and for the journal only for a moment.
"""

from dataclasses import dataclass, field, replace

from runbook.engine.brake_journal import Recorder
from runbook.engine.brake_record import (
    PLAYBOOK,
    NodeOutcome,
    Rolled,
    Wish,
    brake_plan,
    intent_details,
    step_details,
)
from runbook.engine.history import details_of
from runbook.errors import ExitCode, InterruptedRunError, RunbookError
from runbook.model.brake import FLAGS, SETTLED, Pulled, PullState
from runbook.model.journal import Event
from runbook.model.play import HostResult, HostState, PlayRequest
from runbook.model.run import ROLLBACK, RunPlan
from runbook.model.target import Target
from runbook.ports import BrakePorts, Pulling

LOOK_SECONDS = 0.25
QUIET_SECONDS = 0.05
"""How long the looks are waited for before the intent is journaled: what was on goes into it, for an exact undo."""
FIRST_SECONDS = 2.0
"""The longest that the play waits for the first tries; a node that hangs takes longer, and is tried beside the play."""
LAST_SECONDS = 3.0
TURN_SECONDS = 1.0
SIGNALS = frozenset({ExitCode.INTERRUPTED, ExitCode.TERMINATED})


@dataclass(slots=True)
class _Progress:
    """What is known so far; an interruption ends the work, not the knowledge."""

    nodes: dict[str, NodeOutcome]
    plan: RunPlan
    play_problem: str = "it was not begun"
    overtaken: tuple[str, ...] = ()
    play_ms: dict[str, float] = field(default_factory=dict)
    heard: dict[str, HostResult] = field(default_factory=dict)


def rollback(ports: BrakePorts, target: Target, wish: Wish) -> Rolled:
    """Turn the flags off wherever a node can be reached, and journal it as a run.

    Raises nothing for what nodes, Ansible or the journal do: that is in the result.
    """
    begun = ports.clock.monotonic()
    pulling = ports.brake.pull(target.nodes, FLAGS[wish.what], insist=True)
    recorder = Recorder(ports.journal, ports.talk)
    nodes = {node.name: NodeOutcome(node, Pulled(node.name)) for node in target.nodes}
    progress = _Progress(nodes, brake_plan(wish, target, {}))
    work = _Work(ports, target, wish, pulling, recorder, progress)
    interrupted: ExitCode | None = None
    try:
        work.press()
        work.play()
        work.meanwhile()
        work.stragglers(begun)
        work.overtake()
        work.last_look()
    except (KeyboardInterrupt, InterruptedRunError) as error:
        interrupted = getattr(error, "code", ExitCode.INTERRUPTED)
        ports.talk.say("interrupted: nothing more is sent; what was done is told below")
    finally:
        pulling.stop()
    work.look()
    work.note_outcomes()
    rolled = Rolled(
        progress.plan,
        wish.what,
        tuple(progress.nodes.values()),
        progress.play_problem,
        progress.overtaken,
        tuple(dict.fromkeys(recorder.kept)),
        interrupted,
    )
    ended = {"status": rolled.status.value, "exit_code": int(rolled.exit_code)}
    recorder.note(Event.RUN_ENDED, wish.run_id, ended)
    if rolled.exit_code is ExitCode.DONE:
        recorder.settle(ROLLBACK, rolled.plan)
    return replace(rolled, kept=tuple(dict.fromkeys(recorder.kept)))


@dataclass(frozen=True, slots=True)
class _Work:
    ports: BrakePorts
    target: Target
    wish: Wish
    pulling: Pulling
    recorder: Recorder
    progress: _Progress

    @property
    def mark(self) -> str:
        return f"{self.wish.run_id}.play"

    def press(self) -> None:
        """The intent, the release, and the first tries."""
        olds = self.pulling.looks(LOOK_SECONDS, QUIET_SECONDS)
        plan = self.progress.plan = brake_plan(self.wish, self.target, olds)
        started = {"plan": details_of(plan), "environment": self.target.environment}
        self.recorder.note(Event.RUN_STARTED, plan.id, started)
        for step in plan.steps:
            self.recorder.note(Event.STEP_INTENT, plan.id, intent_details(step, self.mark))
        self.pulling.release()
        self.pulling.settle(FIRST_SECONDS, lambda each: each.tries > 0)
        self.look()
        self.ports.talk.say(self._so_far())
        self.note_outcomes()
        self.overtake()

    def look(self) -> None:
        """Take over what HTTP knows by now; what the last look found out counts more."""
        nodes = self.progress.nodes
        for each in self.pulling.state():
            if not nodes[each.node].last_look:
                nodes[each.node] = replace(nodes[each.node], pulled=each)

    def note_outcomes(self) -> None:
        """Journal every step as it stands."""
        plan, nodes = self.progress.plan, self.progress.nodes.values()
        for step in plan.steps:
            self.recorder.note(Event.STEP_OUTCOME, plan.id, step_details(step, nodes, self.mark))

    def overtake(self) -> None:
        """Tell the runs that have not ended to stop, and end their plays: one may switch on again what is off by now.

        Once more before the last look: a run may have begun meanwhile, or a play of one that had looked before it was
        told, and a journal that could not be read may be well again.
        """
        plan, before = self.progress.plan, self.progress.overtaken
        found = self.recorder.overtake(plan.target, plan.id, plan.command)
        for run in found:
            self.ports.talk.say(f"run {run} had not ended: it is told to stop, and to put nothing back")
        self.progress.overtaken = tuple(dict.fromkeys(before + found))
        self._end_plays()

    def _end_plays(self) -> None:
        for mark in self.recorder.plays_of(self.progress.overtaken) if self.progress.overtaken else ():
            try:
                if self.ports.plays().end(mark):
                    self.ports.talk.say(f"ended the play {mark} of a run that was under way")
            except Exception as error:  # noqa: BLE001 - as for the brake's own play
                self.ports.talk.say(f"THE PLAY {mark} MAY STILL BE AT WORK ({error}): end it, then give this again")

    def play(self) -> None:
        """Make it durable through Ansible. Whatever is wrong with Ansible is told, and stops nothing."""
        hosts = tuple(self.progress.nodes)
        request = PlayRequest(PLAYBOOK, hosts, self.wish.what.value, dict.fromkeys(hosts, False), self.mark)
        self.ports.talk.say(f"Ansible makes it durable: {PLAYBOOK}")
        try:
            plays = self.ports.plays()
            plays.ready()
            self._take(plays.run(request, self._heard).hosts)
            self.progress.play_problem = ""
        except InterruptedRunError as error:
            if error.code in SIGNALS:
                self.progress.play_problem = "it was interrupted"
                raise
            self.progress.play_problem = "it did not end before the deadline, and was ended"
            self._take(tuple(self.progress.heard.values()))
        except RunbookError as error:
            self.progress.play_problem = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        except Exception as error:  # noqa: BLE001 - a broken Ansible can break in any way; the flags are off all the same
            self.progress.play_problem = f"{type(error).__name__}: {error}"
        if self.progress.play_problem:
            self.ports.talk.say(f"ANSIBLE FAILED: {self.progress.play_problem}")

    def _heard(self, text: str) -> None:
        """`HOST: STATE (MESSAGE)`, as soon as the play knows it; what else is said is passed over."""
        name, _, rest = text.partition(": ")
        state, _, message = rest.partition(" (")
        if name in self.progress.nodes and state in set(HostState):
            self.progress.play_ms[name] = self.ports.elapsed()
            self.progress.heard[name] = HostResult(name, HostState(state), message=message.removesuffix(")"))

    def _take(self, hosts: tuple[HostResult, ...]) -> None:
        nodes, now = self.progress.nodes, self.ports.elapsed()
        for host in hosts:
            at = self.progress.play_ms.get(host.host, now)
            nodes[host.host] = replace(nodes[host.host], play=host, play_ms=at)

    def meanwhile(self) -> None:
        """What else is to be taken off. It may hang: what is known of the flags is looked at and journaled before."""
        if self.wish.meanwhile is not None:
            self.look()
            self.overtake()  # no run may set it again behind that
            self.last_look()
            self.note_outcomes()
            nodes = self.progress.nodes.items()
            self.wish.meanwhile([name for name, each in nodes if each.pulled.state is PullState.WAITING])

    def stragglers(self, begun: float) -> None:
        """Wait for the nodes that HTTP is still trying, until the deadline."""
        total = self.wish.deadline_seconds

        def enough(each: Pulled) -> bool:
            return replace(self.progress.nodes[each.node], pulled=each).off

        while (left := total - (self.ports.clock.monotonic() - begun)) > 0:
            if self.pulling.settle(min(left, TURN_SECONDS), enough):
                break
            self.look()
            missing = sum(not each.off for each in self.progress.nodes.values())
            self.ports.talk.progress(f"trying {missing} more node{'s' * (missing != 1)}", total - left, total)
        self.look()

    def last_look(self) -> None:
        """Was a flag switched on again meanwhile, by a run that was under way, say? Then it goes off once more.

        So it does where an earlier last look had found it on, and could not turn it off.
        """
        verified = [each.node for each in self.progress.nodes.values() if each.pulled.off or each.on_again]
        again = self.ports.brake.pull(verified, FLAGS[self.wish.what], insist=False)
        try:
            again.release()
            again.settle(LAST_SECONDS, lambda each: each.tries > 1)
        finally:
            again.stop()
        for each in again.state():
            known = self.progress.nodes[each.node]
            self.progress.nodes[each.node] = _looked_again(known, each)

    def _so_far(self) -> str:
        nodes = [each.pulled for each in self.progress.nodes.values()]
        off = [each for each in nodes if each.off]
        last = max((each.verified_ms or 0.0 for each in off), default=0.0)
        after = f", read back after {last:.0f} ms" if off else ""
        trying = sum(each.state not in SETTLED for each in nodes)
        more = f"; {trying} more are tried in the background, until the deadline" if trying else ""
        return f"HTTP: off on {len(off)} of {len(nodes)} nodes{after}{more}"


def _looked_again(known: NodeOutcome, found: Pulled) -> NodeOutcome:
    """The node after the last look: off still, off again, on, or silent by now."""
    if found.state in {PullState.WAITING, PullState.REFUSED}:
        return replace(known, last_look=f"it did not answer the last look: {found.message}")
    if found.off and not any((found.old or {}).values()):
        pulled = replace(found, old=known.pulled.old) if known.on_again else known.pulled
        return replace(known, pulled=pulled, last_look="off", on_again=False)
    if not found.off and not any((found.old or {}).values()):
        return replace(known, last_look=f"the last look came to nothing: {found.message}")
    told = "it was on again, and was turned off again" if found.off else f"it is on again: {found.message}"
    pulled = replace(found, old=known.pulled.old)
    return replace(known, pulled=pulled, last_look=told, on_again=not found.off)
