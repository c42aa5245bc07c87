"""Carry out `runbook rollout start`, `advance` and `abort`."""

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.rails import check_reason
from runbook.cli.rollout.asking import facts_by_journal
from runbook.cli.rollout.crew import crew_of
from runbook.cli.rollout.heartbeat import BeatingTalk, Pulse
from runbook.cli.rollout.plans import check_kept
from runbook.cli.rollout.watching import eyes_of, watched_by
from runbook.cli.rollout.watching import tell as tell_watched
from runbook.cli.rollout.where import Where, going
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.rollout.advance import Advanced, advance
from runbook.engine.rollout.crew import Acted
from runbook.engine.rollout.enter import start
from runbook.engine.rollout.gates.asking import ask_now
from runbook.engine.rollout.gates.every import binding, pending
from runbook.engine.rollout.plan.document import filled
from runbook.engine.rollout.revert import Why, blind, code_of, revert
from runbook.engine.rollout.watch import Until, Wishes
from runbook.errors import ExitCode, InterruptedRunError, LockedError, RefusedError, RunbookError, StorageError
from runbook.model.rollout import Advance, Rollout, RolloutPlan, Standing
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line
from runbook.report.rollback import rolled_data, rolled_lines
from runbook.report.rollout_acted import NOTHING_BINDS, Binding, acted_data, acted_lines, gate_lines, standing_line
from runbook.report.rollout_later import later_lines


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person, or the automation, said about doing it."""

    yes: bool
    reason: str


def begin(where: Where, plan: RolloutPlan, spaces: Sequence[str], consent: Consent) -> ExitCode:
    """Start a rollout of that plan.

    Raises:
        RefusedError: beside another rollout or an open run; nobody agreed; the rails.
        UnreachableError, NotSupportedError: the nodes cannot all be set.
    """
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    check_reason(target, consent.reason)
    refuse_beside_open(current, target.name)
    plan = filled(plan, secrets.token_hex(8), spaces)
    check_kept(plan)
    first = plan.stages[0]
    if first.treats and not consent.yes:
        ask(f"Start {plan.name} on {target.name}, where {first.name} treats spaces at once?")
    rollout = current.new_run_id()
    with BeatingTalk() as talk, way_on(target.name):
        crew = crew_of(current, target, talk)
        acted = start(crew, plan, rollout, consent.reason)
        bind = _binding(current, target, acted)
        if acted.code is not ExitCode.DONE or first.phase.advance is Advance.BY_HAND:
            code = tell(where, "start", acted, bind)
            if not where.as_json and code is ExitCode.DONE:
                show(later_lines(facts_by_journal(current, target, acted.rollout)))
            return code
        eyes = eyes_of(current, target, talk)
        watched = watched_by(crew, eyes, acted.rollout, Wishes(Until.BY_HAND), Pulse(current, talk))
    return tell_watched(where, "start", watched)


def go_on(where: Where, consent: Consent) -> ExitCode:
    """Leave the stage for the next one, if every gate lets it."""
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    rollout = going(current, target.name)
    if rollout.standing is not Standing.ENTERING:
        refuse_beside_open(current, target.name)

    def agree() -> None:
        if not consent.yes:
            ask(f"Every gate is passed: leave {rollout.current.name} on {target.name}?")

    with ScreenTalk() as talk, way_on(target.name):
        crew, eyes = crew_of(current, target, talk), eyes_of(current, target, talk)
        done = advance(crew, rollout.id, partial(ask_now, crew, eyes), agree)
    return tell_advanced(where, done)


def take_back(where: Where, consent: Consent) -> ExitCode:
    """Take the rollout back, from wherever it stands; where the journal does not read, turn all of it off blindly."""
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    why = Why("person", consent.reason or "a person asked for it", Standing.ABORTED)
    found, problem = _found(current, target.name)
    if not consent.yes:
        split = f" and {len(target.splitters)} splitters" if target.splitters else ""
        ask(f"Turn the rollout off on all {len(target.nodes)} nodes{split} of {target.name}?")
    with ScreenTalk() as talk:
        crew = crew_of(current, target, talk)
        if found is not None:
            return tell(where, "abort", revert(crew, found, why))
        talk.say(f"THE JOURNAL DOES NOT READ ({problem}): everything is turned off all the same")
        rolled, left = blind(crew, why)
    code = left.code or code_of(rolled, left)
    if where.as_json:
        show_json(envelope("rollback", "runbook rollout abort", code, rolled_data(rolled)))
        return code
    show(rolled_lines(rolled))
    show(line(each, Style.BAD) for each in left.told)
    return code


def _found(current: Session, target: str) -> tuple[Rollout | None, str]:
    """The rollout; or why the journal does not tell whether there is one."""
    try:
        return going(current, target), ""
    except RefusedError:
        raise
    except RunbookError as error:
        return None, error.message


def ask(question: str) -> None:
    """Ask once.

    Raises:
        RefusedError: nobody can be asked, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    if not click.confirm(question, default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


@contextmanager
def way_on(target: str) -> Iterator[None]:
    """What cuts an entering off is told with the way on of the rollout, not that of the run inside it."""
    try:
        yield
    except KeyboardInterrupt as error:
        interruption = InterruptedRunError("interrupted; nothing is lost", hint=_going_on(target))
        interruption.code = getattr(error, "code", ExitCode.INTERRUPTED)
        raise interruption from error
    except RunbookError as error:
        if error.run:
            error.hint = _going_on(target)
        elif isinstance(error, LockedError | StorageError) and _is_entering(target):
            error.hint = f"{error.hint}; then: {_going_on(target)}".removeprefix("; ")
        raise


def _is_entering(target: str) -> bool:
    try:
        return going(compose.session(), target).standing is Standing.ENTERING
    except RunbookError:
        return False


def _going_on(target: str) -> str:
    return f"runbook rollout advance --target {target}   (or: runbook rollout abort --target {target})"


def tell(where: Where, command: str, acted: Acted, bind: Binding = NOTHING_BINDS) -> ExitCode:
    """Print what came of it."""
    if where.as_json:
        data = acted_data(acted.rollout, (), acted, bind)
        show_json(envelope("rollout_acted", f"runbook rollout {command}", acted.code, data))
    else:
        show(acted_lines(acted))
    return acted.code


def _binding(current: Session, target: Target, acted: Acted) -> Binding:
    """What will be asked of people before later phases; told at the start, it surprises nobody then."""
    if acted.rollout.standing.is_over:
        return NOTHING_BINDS
    facts = facts_by_journal(current, target, acted.rollout)
    ahead = acted.rollout.plan.phases[1:]
    return {phase.name: gates for phase in ahead if (gates := pending(binding(facts, phase)))}


def tell_advanced(where: Where, done: Advanced) -> ExitCode:
    """Print the gates, and what came of it."""
    if where.as_json:
        data = acted_data(done.rollout, done.gates, done.acted)
        show_json(envelope("rollout_acted", "runbook rollout advance", done.code, data))
        return done.code
    show(gate_lines(done.gates))
    if done.acted is not None:
        show(acted_lines(done.acted))
        return done.code
    show(_held_up(done))
    return done.code


def _held_up(done: Advanced) -> Iterator[Line]:
    word = "a gate is not passed" if done.code is ExitCode.REFUSED else "a gate cannot be answered"
    yield line(f"Nothing was changed: {word}.", Style.BAD if done.code is ExitCode.REFUSED else Style.UNSURE)
    yield standing_line(done.rollout)
