"""What a rollback is in the journal: a plan with a step for each flag, and what became of it. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runbook.engine.outcome import outcome_details
from runbook.errors import ExitCode
from runbook.model.brake import FLAGS, Olds, Pulled, PullState, Rollback
from runbook.model.finding import Change
from runbook.model.play import HostResult, HostState
from runbook.model.run import ROLLBACK, RunPlan, RunStatus, RunStep
from runbook.model.target import Node, Target

PLAYBOOK = "emergency_rollback"
UNKNOWN_BEFORE = "it did not tell what it was before: an undo takes it for on"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; `deadline_seconds` is how long stragglers are tried.

    `command` is what a person gives again; empty where it is the brake's own. `meanwhile` is done once the flags are
    off wherever a node answers, while stragglers are tried further; it is told the nodes that do not answer, and may
    raise what interrupts.
    """

    what: Rollback
    run_id: str
    reason: str
    deadline_seconds: float
    command: str = ""
    meanwhile: Callable[[Collection[str]], None] | None = None


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """One node at the end: what HTTP did, what the play did, and when (milliseconds since the command started)."""

    node: Node
    pulled: Pulled
    play: HostResult | None = None
    play_ms: float | None = None
    last_look: str = ""
    on_again: bool = False

    @property
    def off(self) -> bool:
        """Was every flag read back as off, by one of the two?"""
        return not self.on_again and (self.pulled.off or (self.play is not None and self.play.done))

    @property
    def reached(self) -> bool:
        """Did the node say anything at all?"""
        played = self.play is not None and self.play.state not in {HostState.UNREACHABLE, HostState.NOT_REACHED}
        return played or self.pulled.old is not None or self.pulled.state is not PullState.WAITING


@dataclass(frozen=True, slots=True)
class Rolled:
    """A rollback at its end. `play_problem` is why the play did not run to its end; `kept` is what the journal refused.

    `interrupted` is the exit code of the signal that ended it early.
    """

    plan: RunPlan
    what: Rollback
    nodes: tuple[NodeOutcome, ...]
    play_problem: str = ""
    overtaken: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    interrupted: ExitCode | None = None

    @property
    def status(self) -> RunStatus:
        """DONE where every node was read back as off."""
        return RunStatus.DONE if all(each.off for each in self.nodes) else RunStatus.PARTIAL

    @property
    def stragglers(self) -> tuple[NodeOutcome, ...]:
        """The nodes that were not read back as off."""
        return tuple(each for each in self.nodes if not each.off)

    @property
    def exit_code(self) -> ExitCode:
        """Either of the two ways alone is enough; UNREACHABLE where no node said anything."""
        if self.interrupted is not None:
            return self.interrupted
        if self.status is RunStatus.PARTIAL and not any(each.reached for each in self.nodes):
            return ExitCode.UNREACHABLE
        return self.status.exit_code


def brake_plan(wish: Wish, target: Target, olds: Mapping[str, Olds]) -> RunPlan:
    """The rollback as a run: one step per flag, in the order in which they go off.

    A change is planned wherever the flag is on, or is not known; it is a flag, so what it changes from can only be on.
    """
    names = [node.name for node in target.nodes]
    steps = tuple(
        RunStep(
            index,
            f"Turn off {key}",
            do="set_features",
            undo="restore_features",
            key=key,
            changes=tuple(Change(name, key, old=True, new=False) for name in names if _may_be_on(olds.get(name), key)),
        )
        for index, key in enumerate(FLAGS[wish.what], start=1)
    )
    command = wish.command or f"rollback {wish.what.value}"
    return RunPlan(wish.run_id, command, ROLLBACK, target.name, wish.reason, steps)


def _may_be_on(olds: Olds | None, key: str) -> bool:
    return olds is None or olds.get(key) is True


def intent_details(step: RunStep, mark: str) -> dict[str, Any]:
    """The intent of one step; the mark finds the processes of the play."""
    changes = [{"node": each.node, "key": each.key, "old": each.old, "new": each.new} for each in step.changes]
    told = {"step": step.index, "title": step.title, "playbook": PLAYBOOK, "mark": mark}
    return {**told, "changes": changes}


def step_details(step: RunStep, nodes: Iterable[NodeOutcome], mark: str) -> dict[str, Any]:
    """What became of one step on every node, so far."""
    return outcome_details(step, [_host(each, step.key) for each in nodes]) | {"mark": mark}


def _host(each: NodeOutcome, key: str) -> HostResult:
    name, pulled = each.node.name, each.pulled
    old = pulled.old.get(key) if pulled.old is not None else _old_of_play(each.play, key)
    if pulled.old is None and pulled.touched and old is False:
        old = None  # what the play found may be the doing of HTTP
    message = pulled.message or ("" if each.last_look == "off" else each.last_look)
    if each.off:
        if old is False:
            return HostResult(name, HostState.UNCHANGED, old, read_back=False, message=message)
        told = message if old is not None else UNKNOWN_BEFORE
        return HostResult(name, HostState.CHANGED, old, read_back=False, message=told)
    if pulled.touched:
        return HostResult(name, HostState.FAILED, old, message=message)
    played = each.play
    if played is not None and played.state is HostState.FAILED:
        return replace(played, old=old, read_back=None)
    state = HostState.NOT_REACHED if pulled.state is PullState.REFUSED else HostState.UNREACHABLE
    return HostResult(name, state, message=message)


def _old_of_play(play: HostResult | None, key: str) -> bool | None:
    """What the play found; it tells `KEY=true` for every flag."""
    told = play.old if play is not None and isinstance(play.old, tuple) else ()
    found = next((each for each in told if each.startswith(f"{key}=")), "")
    return {f"{key}=true": True, f"{key}=false": False}.get(found)
