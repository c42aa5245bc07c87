"""Carry out what people say to a rollout: `approve`, `note`, `hold`, and the release of `resume`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.rails import check_reason
from runbook.cli.rollout.act import Consent, ask, tell, way_on
from runbook.cli.rollout.crew import crew_of
from runbook.cli.rollout.where import Where, going
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.rollout import say
from runbook.engine.rollout.crew import Acted
from runbook.engine.rollout.enter import go_on
from runbook.engine.rollout.mend import mend, mending
from runbook.engine.rollout.revert import Why, revert
from runbook.engine.rollout.splitters import agreed, check_without
from runbook.errors import ExitCode, RefusedError, UsageError
from runbook.model.rollout import Phase, Rollout, Standing
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line
from runbook.report.rollout_acted import next_steps, rollout_data, standing_line
from runbook.report.rollout_plan import phase_facts, plan_lines


@dataclass(frozen=True, slots=True)
class Assent:
    """What is approved, and how."""

    plan: bool
    phase: str | None
    yes: bool
    reason: str


def approve(where: Where, assent: Assent) -> ExitCode:
    """Show what is approved, ask, and journal the yes.

    Raises:
        RefusedError: there is no rollout, this is who started it, or the answer is no.
        UsageError: no such phase, or none waits.
    """
    if assent.plan and assent.phase is not None:
        raise UsageError("--plan and --phase at once", hint="approve one after the other")
    current = compose.session()
    rollout = _going(current, where)
    phase = None if assent.plan else say.phase_to_approve(rollout, assent.phase)
    say.check_approver(rollout, current.who, phase)
    if not where.as_json:
        show(_seen(rollout, phase))
    if not assent.yes:
        _ask(rollout, phase, seen=not where.as_json)
    return _tell(where, "approve", say.approve(current.journal, rollout, current.who, phase, assent.reason))


def note(where: Where, complaints: int | None, text: str) -> ExitCode:
    """Journal what only people know.

    Raises:
        UsageError: neither a number nor a text.
        RefusedError: there is no rollout under way.
    """
    if complaints is None and not text.strip():
        raise UsageError("nothing is said", hint="--complaints N, or --text TEXT, or both")
    current = compose.session()
    return _tell(where, "note", say.note(current.journal, _going(current, where), complaints, text))


def hold(where: Where, reason: str) -> ExitCode:
    """Journal that it goes no further.

    Raises:
        RefusedError: there is no rollout under way.
    """
    if not reason.strip():
        raise UsageError("nobody knows why it is held", hint='--reason "..."')
    current = compose.session()
    return _tell(where, "hold", say.hold(current.journal, _going(current, where), reason))


def resume(where: Where, consent: Consent, without: Sequence[str] = ()) -> ExitCode:
    """Let go what is held, and go on with what was cut off: with entering a stage, or with going back.

    Raises:
        RefusedError: there is no rollout, or it runs and nothing is to be resumed; or one of its splitters left the
            inventory, and is not among those that can be done `without`; nobody agreed to what it would change.
        UsageError: one of these did not leave it.
        LockedError, UnreachableError, StorageError: as entering raises.
    """
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    rollout = going(current, target.name)
    if rollout.standing is Standing.RUNNING:
        hint = f"runbook rollout status --target {target.name}"
        raise RefusedError(f"rollout {rollout.id} runs: nothing is to be resumed", hint=hint)
    if rollout.standing is Standing.HELD:
        check_reason(target, consent.reason)
        check_without(rollout, target, without)
        if not rollout.inside and not consent.yes:
            ask(f"Go on with entering {rollout.current.name} on {target.name}?")
        mended = _mended(current, target, rollout, consent) if target.splitters else None
        if mended is not None and mended.code is not ExitCode.DONE:
            return tell(where, "resume", mended)
        said = say.release(current.journal, rollout, consent.reason, agreed(rollout, target))
        rollout = said.rollout
        if rollout.standing is not Standing.ENTERING:
            return _tell(where, "resume", said)
    with ScreenTalk() as talk, way_on(target.name):
        crew = crew_of(current, target, talk)
        if rollout.standing is Standing.REVERTING:
            why = Why("person", rollout.why, Standing.ABORTED)
            return tell(where, "resume", revert(crew, rollout, why))
        with crew.alone(rollout.id):
            now = crew.now(rollout.id)
            if now.standing is not Standing.ENTERING:
                raise RefusedError(f"rollout {now.id} has gone on meanwhile: {now.standing.value}, {now.current.name}")
            acted = go_on(crew, now)
    return tell(where, "resume", acted)


def _mended(current: Session, target: Target, rollout: Rollout, consent: Consent) -> Acted | None:
    """Its splitters set as its stage wants them, where any is not; None where all are."""
    with ScreenTalk() as talk, way_on(target.name):
        crew = crew_of(current, target, talk)
        with crew.alone(rollout.id):
            steps = mending(crew, rollout)
            if not steps:
                return None
            refuse_beside_open(current, target.name)
            if not consent.yes:
                names = dict.fromkeys(change.node for step in steps for change in step.changes)
                ask(f"Set {', '.join(names)} as {rollout.current.name} wants it?")
            return mend(crew, rollout, steps, consent.reason)


def _going(current: Session, where: Where) -> Rollout:
    return going(current, compose.target_name(current, where.target, where.config))


def _seen(rollout: Rollout, phase: Phase | None) -> list[Line]:
    """What is said yes to."""
    if phase is None:
        return list(plan_lines(rollout.plan, (), f"digest {rollout.digest}"))
    begin = line(f"Phase {phase.name} of rollout {rollout.id} on {rollout.target}: {phase.title}", Style.STRONG)
    return [begin, *(line(text, indent=2, hang=2) for text in phase_facts(phase))]


def _ask(rollout: Rollout, phase: Phase | None, *, seen: bool) -> None:
    if not seen or not sys.stdin.isatty():
        what = "nobody can be asked without a terminal" if seen else "with --json nobody sees what is approved"
        raise RefusedError(what, hint="add --yes")
    what = "this plan" if phase is None else f"phase {phase.name}"
    if not click.confirm(f"Approve {what} for {rollout.target}?", default=False, err=True):
        raise RefusedError("not approved; nothing was journaled")


def _tell(where: Where, command: str, said: say.Said) -> ExitCode:
    if where.as_json:
        data = {
            "rollout": rollout_data(said.rollout),
            "said": said.told,
            "fresh": said.fresh,
            "next": list(next_steps(said.rollout)),
        }
        show_json(envelope("rollout_said", f"runbook rollout {command}", ExitCode.DONE, data))
    else:
        show([line(said.told[:1].upper() + said.told[1:] + ".", Style.GOOD, hang=2), standing_line(said.rollout)])
        show(line(text, indent=2, hang=2) for text in next_steps(said.rollout))
    return ExitCode.DONE
