"""Carry out `runbook ISSUE --act`, once the issue was found; a command that only looks does not load this."""

import sys

import click

from runbook.cli import compose
from runbook.cli.incident import Scene, Wishes
from runbook.cli.rails import guard
from runbook.cli.screen import show, show_json
from runbook.engine.carry import Carried, Context, carry_out
from runbook.engine.diagnose import silent_nodes
from runbook.engine.incident import ActOptions, run_plan
from runbook.errors import ExitCode, RefusedError
from runbook.model.finding import Diagnosis, Plan, PlannedStep
from runbook.model.risk import Risk
from runbook.model.run import RunStatus
from runbook.report.diagnosis import diagnosis_lines, plan_lines
from runbook.report.document import carried_data, diagnosis_data, envelope
from runbook.report.lines import Style, line
from runbook.report.run import carried_lines, next_steps


def act_on(scene: Scene, diagnosis: Diagnosis, plan: Plan) -> ExitCode:
    """Ask, carry out the chosen steps, and tell what came of it.

    Raises:
        RefusedError: nothing is left to do, nothing was agreed to, or the rails say no.
        RunbookError: as the ports raise.
    """
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
    carried = carry_out(Context(changing, scene.target, who, scene.runbook.verify, scene.baseline, looking), run)
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
