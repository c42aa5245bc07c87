"""Carry out the command of a known issue: diagnose; with `--act` change, watch, and tell how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session, command_for
from runbook.cli.open_runs import open_runs, refuse_beside_open
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.cli.settings import chosen as named_nodes
from runbook.engine.diagnose import diagnose, silent_nodes
from runbook.engine.measure import Span
from runbook.engine.narrow import narrowed
from runbook.engine.plan import make_plan
from runbook.errors import ExitCode, UnreachableError
from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Plan
from runbook.model.measurement import Baseline
from runbook.model.risk import Risk
from runbook.model.runbook import Runbook
from runbook.model.target import Target
from runbook.ports import ReadPorts
from runbook.report.diagnosis import diagnosis_lines, next_lines, plan_lines
from runbook.report.document import diagnosis_data, envelope
from runbook.report.lines import Style, line

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
        from runbook.engine.rails import check_reason

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
        from runbook.cli.incident_act import act_on

        return act_on(Scene(runbook, wishes, current, target, ports, baseline), diagnosis, plan)


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
