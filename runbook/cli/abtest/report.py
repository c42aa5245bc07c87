"""Carry out `runbook abtest report`: read the nodes' rows, judge them, tell it. Nothing is journaled or changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runbook.adapters.memory.cells import MemoryCellStore
from runbook.cli import compose
from runbook.cli.abtest.access import Scope, read_file, read_splitters, scope_of
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.judging.assigned import regimes, split_by
from runbook.engine.judging.collect import Collected, collect
from runbook.engine.judging.comparison import Comparison, compare_own_rate, compare_stage, with_access
from runbook.engine.judging.judgement import rows_needed
from runbook.engine.rollout.state import current_of
from runbook.errors import ExitCode, NotSupportedError, StorageError, UnreachableError
from runbook.model.cells import Cell
from runbook.model.judgement import Verdict
from runbook.model.rollout import Judging
from runbook.model.target import Target
from runbook.ports import CellSource, CellStore
from runbook.report.comparison import comparison_data, comparison_lines
from runbook.report.document import envelope

_CODES = {Verdict.SAFE: ExitCode.DONE, Verdict.HARM: ExitCode.BAD_NEWS}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    target: str | None
    config: Path | None
    as_json: bool
    access_log: Path | None = None


def report(wishes: Wishes) -> ExitCode:
    """Print what the recalls say: DONE where it is safe, BAD_NEWS where it is harm, else COULD_NOT_TELL.

    Raises:
        UnreachableError: no node answered.
        NotSupportedError: those that did tell of no cells.
        UsageError: the access log that was named cannot be read.
    """
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    found = _compared(current, target, wishes.access_log)
    code = _CODES.get(found.judgement.verdict, ExitCode.COULD_NOT_TELL)
    if wishes.as_json:
        show_json(envelope("comparison", "runbook abtest report", code, comparison_data(found)))
    else:
        show(comparison_lines(found))
    return code


def _compared(current: Session, target: Target, file: Path | None) -> Comparison:
    """The judgement; where splitters stand in front of the nodes, or a log is named, with what access logs say."""
    found, scope = _judged(current, target)
    if file is not None:
        return with_access(found, read_file(file, scope))
    return with_access(found, read_splitters(current, target, scope)) if target.splitters else found


def _judged(current: Session, target: Target) -> tuple[Comparison, Scope]:
    rollout = current_of([*current.journal.entries(), *current.journal.waiting()], target.name)
    now = current.clock.now().timestamp()  # before the rows are read: a bucket that is over by then is whole
    with ScreenTalk() as talk:
        store, collected = _collected(current, target, talk, now)
        if rollout is not None:
            found = compare_stage(rollout, store.rows(rows_needed(rollout), now), now, collected)
            return found, scope_of(rollout, now)
        settings = compose.read_ports(current, target, talk).nodes.settings(target.nodes)
        if target.splitters:
            settings = split_by(compose.splits_of(target, talk), settings)
    agreed = set(regimes(settings).values())
    regime = agreed.pop() if len(agreed) == 1 else None

    def rows() -> Iterable[Cell]:
        return store.rows(0.0, now + 1)

    return compare_own_rate(target.name, rows, regime, _usual(), now, collected), Scope(regime, now)


def _usual() -> Judging:
    """The guardrails of the built-in plan's canary."""
    from runbook.rollouts.dual_memory import CANARY  # noqa: PLC0415  # the plan is built when it is read

    assert CANARY.judging is not None  # noqa: S101  # it is material of ours
    return CANARY.judging


def _collected(current: Session, target: Target, talk: ScreenTalk, now: float) -> tuple[CellStore, Collected]:
    """What the nodes tell, kept beside what was collected before; where the disk refuses, only what they tell now."""
    source = compose.cell_source(target, talk)
    store = compose.cell_store(current, target.name)
    try:
        collected = collect(source, store, target.nodes, now)
    except StorageError as error:
        talk.say(f"{error.message}: only what the nodes still have is judged")
        store, collected = _in_memory(source, target, now)
    _refuse_silence(target, collected)
    return store, collected


def _in_memory(source: CellSource, target: Target, now: float) -> tuple[CellStore, Collected]:
    store = MemoryCellStore()
    return store, collect(source, store, target.nodes, now)


def _refuse_silence(target: Target, collected: Collected) -> None:
    if len(collected.silent) < len(target.nodes):
        return
    reasons = "; ".join(f"{each.node}: {each.reason}" for each in collected.silent)
    if all(each.answered for each in collected.silent):
        raise NotSupportedError(f"no node of {target.name} tells of its recalls by space", hint=reasons)
    raise UnreachableError(f"no node of {target.name} answered", hint=reasons)
