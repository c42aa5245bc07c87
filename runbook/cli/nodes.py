"""Carry out `runbook nodes`: ask every node what it is; only when asked, time recalls and read memory on the hosts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.errors import ExitCode, UnreachableError, UsageError
from runbook.model.capabilities import Capabilities, TimedRecalls
from runbook.model.measurement import Silence
from runbook.model.play import Collected, CollectRequest
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.nodes import Split, Surveyed, nodes_data, nodes_lines

WELL = "healthy"
SPACE = re.compile(r"[A-Za-z0-9_.-]+")
ILL = frozenset({"degraded", "unhealthy"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line; `recall` is the space whose recalls are timed, or None."""

    target: str | None
    config: Path | None
    recall: str | None
    memory: bool
    as_json: bool


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: a name of a space that can be none.
        UnreachableError: no node answered.
        RefusedError: a token is not kept as it must be.
        RunbookError: as the play raises that reads the memory.
    """
    if wishes.recall is not None and SPACE.fullmatch(wishes.recall) is None:
        raise UsageError(f"{wishes.recall!r} is no name of a space", hint="letters, digits, '-' and '_'")
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    surveyor = compose.surveyor(target)
    known = surveyor.look(target.nodes)
    answering = [node for node in target.nodes if isinstance(known[node.name], Capabilities)]
    timed = surveyor.time_recalls(answering, wishes.recall) if wishes.recall is not None else {}
    memory = _memory(current, target) if wishes.memory else {}
    surveyed = [Surveyed(node, known[node.name], timed.get(node.name), memory.get(node.name)) for node in target.nodes]
    splits = _splits(target) if target.splitters else []
    code = _code(surveyed)
    if code is ExitCode.DONE and any(isinstance(each.settings, Silence) for each in splits):
        code = ExitCode.COULD_NOT_TELL
    if not answering and all(isinstance(each, Silence) and not each.answered for each in known.values()):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in known.values() if isinstance(each, Silence))
        raise UnreachableError(f"no node of {target.name} answered", hint=reasons)
    if wishes.as_json:
        show_json(envelope("nodes", "runbook nodes", code, nodes_data(target.name, surveyed, splits)))
    else:
        show(nodes_lines(surveyed, splits))
    return code


def _splits(target: Target) -> list[Split]:
    with ScreenTalk() as talk:
        settings = compose.splits_of(target, talk)
    return [Split(each, settings[each.name]) for each in target.splitters]


def _memory(current: Session, target: Target) -> Mapping[str, Collected]:
    hosts = tuple(node.name for node in target.nodes)
    with ScreenTalk() as talk:
        plays = compose.plays_on(target)
        plays.ready()
        found = plays.collect(CollectRequest("read_memory", hosts, f"nodes-{current.new_run_id()}"), talk.say)
    return {each.host: each for each in found}


def _code(surveyed: list[Surveyed]) -> ExitCode:
    """Bad news where a node says that it is not well; could not tell where something asked for is missing."""
    if any(isinstance(each.known, Capabilities) and each.known.health in ILL for each in surveyed):
        return ExitCode.BAD_NEWS
    lacking = any(
        isinstance(each.known, Silence)
        or each.known.health != WELL
        or (each.timed is not None and _incomplete(each.timed))
        or (each.memory is not None and each.memory.document is None)
        for each in surveyed
    )
    return ExitCode.COULD_NOT_TELL if lacking else ExitCode.DONE


def _incomplete(timed: TimedRecalls) -> bool:
    return bool(timed.reason) or not timed.seconds
