"""Carry out `runbook flags set` and `runbook config set`: a run like any other, which `undo` and `resume` know."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.rails import check_reason, guard
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.cli.settings import Where, chosen, read_settings
from runbook.engine.carry import Carried, Context, carry_out
from runbook.engine.rollout.values import RATE, SALT, SPACES
from runbook.engine.settings_runs import SettingsPlan, plan_settings, run_plan
from runbook.errors import ExitCode, NotSupportedError, RefusedError
from runbook.model.run import RunStatus
from runbook.model.setting_names import assigned
from runbook.model.target import Target
from runbook.report.document import carried_data, envelope
from runbook.report.lines import Style, line, printable
from runbook.report.run import carried_lines, next_steps
from runbook.report.settings import plan_data, plan_lines


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person, or the automation, said about doing it."""

    yes: bool
    reason: str
    dry_run: bool


def change_settings(where: Where, words: Sequence[str], consent: Consent) -> ExitCode:
    """Plan, ask, set in waves, read back. PARTIAL where a node was left out since it could not be asked.

    Raises:
        UsageError: a name or a value that is none, or no such node.
        UnreachableError: no node answered.
        NotSupportedError: no node tells the setting.
        RefusedError: nobody can be asked, the person said no, a run stands half done, or the target's rails hold it.
    """
    wanted = assigned(words, where.kind)
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    if not consent.dry_run:
        check_reason(target, consent.reason)
    if target.splitters and not {RATE, SALT, SPACES}.isdisjoint(wanted):
        who = ", ".join(each.name for each in target.splitters)
        click.echo(
            f"who is treated on {target.name} is what {who} says (runbook nodes), not what its nodes have", err=True
        )
    plan = plan_settings(target.name, read_settings(target, chosen(target, where.nodes)), wanted)
    if not plan.steps and not plan.already:
        raise NotSupportedError(
            f"no node of {target.name} that answers has a value of {', '.join(wanted)}",
            hint="; ".join(dict.fromkeys(f"{each.node}: {each.reason}" for each in plan.left_out)),
        )
    if consent.dry_run or not plan.steps:
        return _tell_plan(where, plan, consent)
    return _carry_out(where, plan, consent, current, target)


def _carry_out(where: Where, plan: SettingsPlan, consent: Consent, current: Session, target: Target) -> ExitCode:
    refuse_beside_open(current, target.name)
    run = run_plan(plan, current.new_run_id(), f"{where.command} set", consent.reason)
    if not where.as_json:
        show(plan_lines(plan))
    if not consent.yes:
        _ask(plan, told=not where.as_json)
    guard(current, target, run, plan.risk)
    with ScreenTalk() as talk:
        ports = compose.change_ports(current, target, compose.read_ports(current, target, talk))
        carried = carry_out(Context(ports, target, f"{current.who}@{current.where}"), run)
    return _tell_run(where, plan, carried)


def _tell_plan(where: Where, plan: SettingsPlan, consent: Consent) -> ExitCode:
    """Nothing is done: it was not wanted, or there is nothing to do."""
    code = ExitCode.PARTIAL if plan.left_out and not consent.dry_run else ExitCode.DONE
    if where.as_json:
        show_json(envelope("settings_set", f"runbook {where.command} set", code, plan_data(plan)))
        return code
    show(plan_lines(plan))
    show([line("Nothing was changed." if plan.steps else "There is nothing to change.")])
    return code


def _tell_run(where: Where, plan: SettingsPlan, carried: Carried) -> ExitCode:
    code = carried.status.exit_code
    if plan.left_out and carried.status is RunStatus.DONE:
        code = ExitCode.PARTIAL
    if where.as_json:
        data = plan_data(plan) | {"run": carried_data(carried, next_steps(carried, ""))}
        show_json(envelope("settings_set", f"runbook {where.command} set", code, data))
        return code
    show(carried_lines(carried, ""))
    show(line(f"{each.node} was left out: {each.reason}", Style.UNSURE, 2) for each in plan.left_out)
    if carried.status is RunStatus.DONE:
        show([line(f"to put the old values back: runbook undo {carried.plan.id}", indent=2)])
    return code


def _ask(plan: SettingsPlan, *, told: bool) -> None:
    """Ask once for the whole, which is said first where it was not told yet.

    Raises:
        RefusedError: nobody can be asked, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    for each in () if told else plan_lines(plan):
        click.echo(printable(each.text), err=True)
    nodes = {change.node for step in plan.steps for change in step.changes}
    question = f"Set this on {len(nodes)} node{'s' * (len(nodes) > 1)} (risk {plan.risk.name.lower()})?"
    if not click.confirm(question, default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")
