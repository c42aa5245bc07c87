"""Carry out `runbook abtest simulate`: the nodes' rows are collected, and the plan's stages simulated on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.rollout.plans import chosen
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.judging.collect import collect
from runbook.engine.rollout.state import current_of
from runbook.errors import ExitCode, NotSupportedError, UnreachableError
from runbook.model.cells import Cell
from runbook.model.duration import in_words
from runbook.model.foresight import Foresight
from runbook.model.measurement import Silence
from runbook.model.rollout import RolloutPlan
from runbook.model.target import Target
from runbook.ports import CellStore
from runbook.report.document import envelope
from runbook.report.foresight import foresight_data, foresight_lines


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line; `plan` None is that of the running rollout, or the built-in one."""

    target: str | None
    config: Path | None
    plan: str | None
    window: timedelta | None
    runs: int
    as_json: bool


def simulate(wishes: Wishes) -> ExitCode:
    """Print what is foreseen. COULD_NOT_TELL where a judged stage cannot decide, or there is too little on record.

    Raises:
        UsageError: no target, or no such plan.
        UnreachableError: nothing is on record, and no node answered.
        NotSupportedError: nothing is on record, and those that did tell of no cells.
        DamagedError, StorageError: as the journal, the plan's file and the store raise.
    """
    from runbook.engine.judging.simulate import foresee  # noqa: PLC0415  # numpy, for those who simulate

    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    plan = _plan(current, target.name, wishes.plan)
    store = compose.cell_store(current, target.name)
    with ScreenTalk() as talk:
        silent = _collect(current, target, store, talk)
        if wishes.window is not None and len(silent) < len(target.nodes):
            talk.say(f"Collecting for {in_words(wishes.window)}")
            current.clock.sleep(wishes.window.total_seconds())
            silent = _collect(current, target, store, talk)
    now = current.clock.now().timestamp()
    found = foresee(plan, lambda: _over(store, now), wishes.runs)
    if found.record is None:
        _refuse_silence(target, silent)
    told = (*found.told, *(f"{each.node} was not heard: {each.reason}" for each in silent))
    return _tell(replace(found, told=told), wishes)


def _refuse_silence(target: Target, silent: Sequence[Silence]) -> None:
    if len(silent) < len(target.nodes):
        return
    reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent)
    if all(each.answered for each in silent):
        raise NotSupportedError(f"no node of {target.name} tells of its recalls by space", hint=reasons)
    raise UnreachableError(f"nothing is on record of {target.name}, and no node answered", hint=reasons)


def _plan(current: Session, target: str, named: str | None) -> RolloutPlan:
    if named is not None:
        return chosen(named)
    journal = current.journal
    rollout = current_of([*journal.entries(), *journal.waiting()], target)
    return chosen("dual-memory") if rollout is None else rollout.plan


def _collect(current: Session, target: Target, store: CellStore, talk: ScreenTalk) -> Sequence[Silence]:
    """Keep what the nodes tell; who was silent. What else is to be known is said at once."""
    collected = collect(compose.cell_source(target, talk), store, target.nodes, current.clock.now().timestamp())
    for told in collected.told:
        talk.say(told)
    return collected.silent


def _over(store: CellStore, now: float) -> Iterator[Cell]:
    """The rows of buckets that are over."""
    return (cell for cell in store.rows(0.0, now) if cell.bucket + cell.seconds <= now)


def _tell(found: Foresight, wishes: Wishes) -> ExitCode:
    code = ExitCode.DONE if found.decides else ExitCode.COULD_NOT_TELL
    if wishes.as_json:
        show_json(envelope("foresight", "runbook abtest simulate", code, foresight_data(found)))
    else:
        show(foresight_lines(found))
    return code
