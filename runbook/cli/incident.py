"""Carry out the command of a known issue: diagnose; with `--act` change, watch, and tell how it went."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from runbook.cli import compose
from runbook.cli.compose import Session, command_for
from runbook.cli.open_runs import open_runs, refuse_beside_open
from runbook.cli.rails import check_reason, guard
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.cli.settings import chosen as named_nodes
from runbook.engine.carry import Carried, Context
from runbook.engine.diagnose import diagnose, silent_nodes
from runbook.engine.incident import ActOptions, act, run_plan
from runbook.engine.measure import Span
from runbook.engine.narrow import narrowed
from runbook.engine.plan import make_plan
from runbook.errors import ExitCode, RefusedError, UnreachableError
from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Plan, PlannedStep
from runbook.model.measurement import Baseline
from runbook.model.run import RunStatus
from runbook.model.runbook import Risk, Runbook
from runbook.model.target import Target
from runbook.ports import ReadPorts
from runbook.report.diagnosis import diagnosis_lines, next_lines, plan_lines
from runbook.report.document import carried_data, diagnosis_data, envelope
from runbook.report.lines import Style, line
from runbook.report.run import carried_lines, next_steps

EXIT_OF = {
    Answer.YES: ExitCode.BAD_NEWS,
    Answer.UNKNOWN: ExitCode.COULD_NOT_TELL,
    Answer.NO: ExitCode.DONE,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    act: bool
    yes: bool
    allow_disruptive: bool
    nodes: tuple[str, ...]
    max_risk: Risk | None
    watch: timedelta
    window: timedelta | None
    reason: str
    target: str | None
    config: Path | None
    as_json: bool
    said: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the command works on."""

    runbook: Runbook
    wishes: Wishes
    current: Session
    target: Target
    ports: ReadPorts
    baseline: Baseline | None


LONGEST = timedelta(seconds=60)
"""How long to look where nobody said how long, and the usual window settles nothing."""


def span_of(ports: ReadPorts, said: timedelta | None) -> Span:
    """The window that was asked for, else the usual one, and a longer one where that settles nothing."""
    usual = ports.probes.usual_window
    return Span(usual, max(usual, LONGEST)) if said is None else Span(said, said)


def carry_out(runbook: Runbook, wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UnreachableError: no node of the target answered.
        RunbookError: as the ports raise.
    """
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    named_nodes(target, wishes.nodes)
    if wishes.act:
        check_reason(target, wishes.reason)
    baseline = current.store.load_baseline(target.name)
    with ScreenTalk() as talk:
        ports = compose.read_ports(current, target, talk)
        span = span_of(ports, wishes.window)
        diagnosis, settings = diagnose(runbook, target, ports, baseline, span, wishes.said)
        if diagnosis.all_silent:
            reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent_nodes(diagnosis))
            raise UnreachableError(f"no node of {target.name} answered", hint=reasons)
        plan = narrowed(make_plan(runbook, diagnosis, settings, baseline), wishes.nodes, wishes.max_risk)
        if wishes.act:
            refuse_beside_open(current, target.name)
        elif wishes.yes or wishes.allow_disruptive:
            talk.say("without --act nothing is changed: --yes and --allow-disruptive say nothing")
        if not wishes.act or diagnosis.present is not Answer.YES:
            return _tell(runbook, diagnosis, plan, target, wishes)
        return _act(Scene(runbook, wishes, current, target, ports, baseline), diagnosis, plan)


def _tell(runbook: Runbook, diagnosis: Diagnosis, plan: Plan, target: Target, wishes: Wishes) -> ExitCode:
    """Print the diagnosis and, where there is something to act on, the plan and the command that would do it."""
    code = EXIT_OF[diagnosis.present]
    left_open = open_runs(diagnosis.target)
    if wishes.as_json:
        data = diagnosis_data(diagnosis, plan) | {"open_runs": list(left_open)}
        show_json(envelope("diagnosis", f"runbook {runbook.slug}", code, data))
        return code
    show(diagnosis_lines(runbook, diagnosis))
    if diagnosis.present is Answer.YES:
        show(plan_lines(plan))
    changes = any(planned.changes for planned in plan.ordinary)
    show(next_lines(runbook, diagnosis, _command(runbook, target, wishes), changes=changes))
    show(line(text, Style.UNSURE) for text in left_open.values())
    return code


def _command(runbook: Runbook, target: Target, wishes: Wishes) -> str:
    """What was typed, as far as it decides what would be done; with a place for the reason, where one is needed."""
    reason = ' --reason "..."' if target.rails.require_reason else ""
    nodes = "".join(f" --node {name}" for name in wishes.nodes)
    risk = "" if wishes.max_risk is None else f" --max-risk {wishes.max_risk.name.lower()}"
    return command_for(runbook.slug, target.name) + nodes + risk + reason


def _act(scene: Scene, diagnosis: Diagnosis, plan: Plan) -> ExitCode:
    wishes, current = scene.wishes, scene.current
    if not wishes.as_json:
        show(diagnosis_lines(scene.runbook, diagnosis))
        show(plan_lines(plan))
    command = f"{scene.runbook.slug} --act"
    options = ActOptions(current.new_run_id(), command, wishes.reason, wishes.watch, wishes.allow_disruptive)
    chosen = _chosen(plan, wishes)
    run = run_plan(plan, scene.target.name, chosen, options)
    if not run.steps:
        raise RefusedError("there is no step left that would change anything", hint=scene.runbook.escalate)
    allowed = scene.target.rails.allowed_risk.name.lower()
    risk = max(planned.step.risk for planned in chosen)
    guard(current, scene.target, run, risk, narrower=f"leave it out: --max-risk {allowed}")
    changing = compose.change_ports(current, scene.target, scene.ports)
    who = f"{current.who}@{current.where}"
    looking = compose.looking(current, scene.runbook)
    carried = act(Context(changing, scene.target, who, scene.runbook.verify, scene.baseline, looking), run)
    return _tell_run(scene, diagnosis, plan, carried)


def _tell_run(scene: Scene, diagnosis: Diagnosis, plan: Plan, carried: Carried) -> ExitCode:
    silent = silent_nodes(diagnosis)
    code = carried.status.exit_code
    if silent and carried.status is RunStatus.RECOVERED:
        code = ExitCode.PARTIAL
    escalate = scene.runbook.escalate
    if scene.wishes.as_json:
        data = diagnosis_data(diagnosis, plan) | {"run": carried_data(carried, next_steps(carried, escalate))}
        show_json(envelope("incident", f"runbook {scene.runbook.slug} --act", code, data))
        return code
    show(carried_lines(carried, escalate))
    show(line(f"{each.node} was not assessed: {each.reason}", Style.UNSURE, 2) for each in silent)
    return code


def _chosen(plan: Plan, wishes: Wishes) -> list[PlannedStep]:
    """The steps that may be taken: all with `--yes`, else those that the person says yes to, one by one.

    Emergency steps are only taken when the others did not help, and disruptive ones only with `--allow-disruptive`.

    Raises:
        RefusedError: nobody can be asked, or the person said no to everything.
    """
    allowed = [
        planned
        for planned in plan.steps
        if planned.changes and (planned.step.risk < Risk.DISRUPTIVE or wishes.allow_disruptive)
    ]
    if wishes.yes or not allowed:
        return allowed
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    agreed = [planned for planned in allowed if _agreed(planned)]
    if not agreed:
        raise RefusedError("no step was agreed to; nothing was changed")
    return agreed


def _agreed(planned: PlannedStep) -> bool:
    when = "if the others do not help, " if planned.step.emergency else ""
    nodes = f"{len(planned.changes)} node{'s' * (len(planned.changes) > 1)}"
    question = f"{planned.index}. {when}{planned.step.title} on {nodes} (risk {planned.step.risk.name.lower()})?"
    return click.confirm(question, default=False, err=True)
