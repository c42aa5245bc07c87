"""Carry out `runbook baseline`: every quantity that any known issue compares with is recorded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from runbook.cli import compose
from runbook.cli.issue import known_issues
from runbook.cli.rollout.plans import chosen, known_plans, plan_named
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.baseline import capture, doubts
from runbook.engine.figures import figure
from runbook.engine.rollout.plan.quantities import compared
from runbook.engine.rollout.state import current_of
from runbook.errors import ExitCode, RefusedError
from runbook.model.journal import Event
from runbook.model.measurement import Baseline
from runbook.model.quantity import Quantity
from runbook.model.rollout import Rollout, RolloutPlan
from runbook.model.target import Target
from runbook.model.validation import Kept
from runbook.model.validation_golden import Golden
from runbook.ports import ReadPorts
from runbook.report.document import baseline_data, envelope
from runbook.report.lines import Line, Style, line, shown
from runbook.report.validation import golden_lines


def quantities(plans: Iterable[RolloutPlan] = ()) -> tuple[Quantity, ...]:
    """Every quantity of every known issue, and what known plans and these compare with the fleet when it was well."""
    issues = [quantity for each in known_issues() for quantity in each.quantities]
    every = [*(plan_named(name) for name in known_plans()), *plans]
    return tuple(dict.fromkeys([*issues, *(quantity for plan in every for quantity in compared(plan))]))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    target: str | None
    config: Path | None
    window: timedelta | None
    force: bool
    golden: bool
    plan: str | None
    as_json: bool


def capture_baseline(wishes: Wishes) -> ExitCode:
    """Measure, keep, journal, tell. PARTIAL where a node was silent: it is missing from the baseline.

    Raises:
        RefusedError: the fleet does not look well, or a rollout is under way on it; the old baseline stays.
        DamagedError: the journal is damaged, and nothing is kept that could not be recorded; or the plan's file is.
    """
    current = compose.session()
    entries = list(current.journal.entries())
    plans = [] if wishes.plan is None else [chosen(wishes.plan)]
    target = compose.target_of(current, wishes.target, wishes.config)
    rollout = current_of(entries, target.name)
    if not wishes.force:
        _check_rollout(rollout)
    plans += [] if rollout is None else [rollout.plan]
    with ScreenTalk() as talk:
        ports = compose.read_ports(current, target, talk)
        # Before anything is measured: a node that was read as a whole holds more memory afterwards.
        golden = choose_golden(target, ports, talk) if wishes.golden else None
        measured, silent = capture(target, quantities(plans), ports, wishes.window or ports.probes.usual_window)
        baseline = replace(measured, golden=golden)
    why_not = doubts(baseline, known_issues())
    if why_not and not wishes.force:
        raise RefusedError(
            f"the fleet does not look well, so the old baseline stays: {'; '.join(why_not)}",
            hint="capture it when the fleet is well; --force keeps this one all the same",
        )
    path = current.store.save_baseline(baseline)
    details = {"target": target.name, "path": path, "nodes": sorted(baseline.nodes), "doubts": list(why_not)}
    if rollout is not None:
        details["rollout"] = rollout.id
    current.journal.append(Event.BASELINE_CAPTURED, "", details)
    code = ExitCode.PARTIAL if silent else ExitCode.DONE
    if wishes.as_json:
        show_json(envelope("baseline", "runbook baseline capture", code, baseline_data(baseline, silent, path)))
        return code
    show(_lines(baseline, path))
    show(line(f"{each.node} is missing from it: {each.reason}", Style.BAD) for each in silent)
    show(line(each, Style.UNSURE) for each in left_out(baseline))
    return code


def _check_rollout(rollout: Rollout | None) -> None:
    """What a rollout does to a fleet is not usual: its gates and the validator would compare it with itself."""
    if rollout is None or not rollout.entered:
        return
    raise RefusedError(
        f"rollout {rollout.id} is in {rollout.current.name}: a baseline of now would have its effects in it, and its "
        "gates would compare it with itself",
        hint="take it back first; where there is no other way (a node was replaced): --force",
    )


def choose_golden(target: Target, ports: ReadPorts, talk: ScreenTalk) -> Golden:
    """The golden queries of that fleet."""
    golds = compose.golden_queries(target, ports, talk)
    return golds.choose(target.nodes, compose.golden_settings(target, target.nodes, ports))


def left_out(baseline: Baseline) -> Iterator[str]:
    """What a validation compares with and this one does not tell, in words, and what to do.

    A Prometheus that has begun a minute ago, or scrapes rarely, has too few samples in a short window.
    """
    missing: dict[str, list[str]] = {}
    for name, node in baseline.nodes.items():
        for kept in Kept:
            if kept.value not in node.quantities:
                missing.setdefault(kept.value, []).append(name)
    for quantity, nodes in missing.items():
        yield f"not known on {', '.join(nodes)}: {quantity}"
    if missing:
        yield "validate cannot compare these: capture it again after a longer --window, with traffic"


def show_baseline(name: str | None, config: Path | None, *, as_json: bool) -> ExitCode:
    """Tell what was recorded; COULD_NOT_TELL where nothing was."""
    current = compose.session()
    target = compose.target_of(current, name, config)
    baseline = current.store.load_baseline(target.name)
    code = ExitCode.COULD_NOT_TELL if baseline is None else ExitCode.DONE
    if as_json:
        data = {} if baseline is None else baseline_data(baseline, (), "")
        show_json(envelope("baseline", "runbook baseline show", code, data))
    elif baseline is None:
        show([line(f"No baseline of {target.name} was captured yet."), line("runbook baseline capture", indent=2)])
    else:
        show(_lines(baseline, ""))
    return code


def _lines(baseline: Baseline, path: str) -> Iterator[Line]:
    taken = baseline.captured_at.isoformat(timespec="seconds")
    yield line(f"Baseline of {baseline.target}, {taken}, over {baseline.window_seconds:g} s", Style.STRONG)
    for name, node in baseline.nodes.items():
        yield line(name, Style.STRONG)
        for quantity, value in node.quantities.items():
            reach = f" +- {figure(node.reaches[quantity])}" if quantity in node.reaches else ""
            yield line(f"{quantity:<58} {figure(value)}{reach}", indent=2, hang=2)
        for key, setting in node.settings.items():
            yield line(f"{key:<58} {shown(setting)}", Style.FAINT, indent=2, hang=2)
    if baseline.golden is not None:
        yield from golden_lines(baseline.golden)
    if path:
        yield line(f"kept in {path}", Style.FAINT)
