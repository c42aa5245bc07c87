"""Flags and configuration: what each node has, what would be set, what was set, and what has drifted; text and data."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from runbook.engine.drift import Drift, DriftReport, Measure
from runbook.engine.settings_runs import SettingsPlan, disagreeing, risk_of
from runbook.model.finding import Skipped
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.setting_change import SettingChange
from runbook.model.settings import Value, same
from runbook.report.lines import EMPTY, Line, Style, line, shown


def values_lines(settings: NodeSettings, keys: Sequence[str]) -> Iterator[Line]:
    """One line for each setting on which the nodes agree, one for each value where they do not."""
    width = max(map(len, keys), default=0)
    apart = disagreeing(settings, keys)
    for key in keys:
        groups = _by_value(settings, key)
        mark = ("DISAGREE  ", Style.BAD) if key in apart else ("", Style.PLAIN)
        for index, (value, nodes) in enumerate(groups):
            name = key if index == 0 else ""
            text = "not told" if value is None else shown(value)
            whose = f"  ({', '.join(nodes)})" if len(groups) > 1 else ""
            style = Style.UNSURE if value is None else Style.STRONG
            yield Line(((f"{name:<{width}}  ", Style.PLAIN), mark, (text, style), (whose, Style.FAINT)), hang=width + 2)
    yield from silent_lines(settings.values())


def silent_lines(known: Iterable[object]) -> Iterator[Line]:
    """The nodes that did not answer, and why."""
    for each in known:
        if isinstance(each, Silence):
            yield line(f"{each.node} could not be asked: {each.reason}", Style.UNSURE, hang=2)


def values_data(target: str, settings: NodeSettings, keys: Sequence[str]) -> dict[str, Any]:
    """Every setting with every answering node's value, null where the node does not tell it."""
    apart = disagreeing(settings, keys)
    answering = {name: known for name, known in settings.items() if not isinstance(known, Silence)}
    return {
        "target": target,
        "settings": [
            {
                "key": key,
                "agree": key not in apart,
                "values": {name: known.get(key) for name, known in answering.items()},
            }
            for key in keys
        ],
        "silent": _silent(settings.values()),
    }


def plan_lines(plan: SettingsPlan) -> Iterator[Line]:
    """What would change, node by node, and what would not, with the reasons."""
    for step in plan.steps:
        risk = max(risk_of(change.key, change.new) for change in step.changes).name.lower()
        yield Line(((step.title, Style.STRONG), (f"  (risk {risk})", Style.FAINT)))
        moves: dict[str, list[str]] = {}
        for change in step.changes:
            moves.setdefault(f"{shown(change.old)} -> {shown(change.new)}", []).append(change.node)
        for move, nodes in moves.items():
            yield line(f"{', '.join(nodes)}: {move}", indent=2, hang=2)
    for reason, nodes in _by_reason(plan.already).items():
        yield line(f"{', '.join(nodes)}: {reason}", Style.FAINT, indent=2, hang=2)
    for reason, nodes in _by_reason(plan.left_out).items():
        yield line(f"left out: {', '.join(nodes)}: {reason}", Style.UNSURE, indent=2, hang=2)


def plan_data(plan: SettingsPlan) -> dict[str, Any]:
    """What would change; `run` is added where it was done."""
    return {
        "target": plan.target,
        "risk": plan.risk.name.lower(),
        "steps": [
            {
                "index": step.index,
                "title": step.title,
                "key": step.key,
                "playbook": step.do,
                "undo": step.undo,
                "changes": [{"node": each.node, "old": each.old, "new": each.new} for each in step.changes],
            }
            for step in plan.steps
        ],
        "already": [{"node": each.node, "reason": each.reason} for each in plan.already],
        "left_out": [{"node": each.node, "reason": each.reason} for each in plan.left_out],
        "run": None,
    }


def history_lines(changes: Iterable[SettingChange]) -> Iterator[Line]:
    """Oldest first; nodes that were changed alike stand together under their run."""
    for (run, command, who, reason), of_run in groupby(changes, key=lambda c: (c.run, c.command, c.who, c.reason)):
        yield Line(((run, Style.STRONG), (f"  {command}  {who}", Style.PLAIN)))
        if reason:
            yield line(f"reason: {reason}", Style.FAINT, indent=2, hang=2)
        for (key, what, style), alike in groupby(of_run, key=lambda c: (c.key, *_told(c))):
            several = list(alike)
            nodes = ", ".join(change.node for change in several)
            when = f"{several[0].at:%Y-%m-%d %H:%M:%S}  "
            yield Line(((when, Style.FAINT), (f"{key}  {nodes}: ", Style.PLAIN), (what, style)), indent=2, hang=2)


def history_data(changes: Iterable[SettingChange]) -> dict[str, Any]:
    """Every change, oldest first."""
    return {"changes": [_change(change) for change in changes]}


def drift_lines(report: DriftReport) -> Iterator[Line]:
    """What differs and from what; then what differs because it was set so; then who could not be asked."""
    for drift in report.drifts:
        text = f"{drift.node}: {drift.key} is {shown(drift.value)}, {_than(drift)}"
        yield Line((("DRIFT   ", Style.BAD), (text, Style.PLAIN)), hang=8)
    for drift in report.as_set:
        text = f"{drift.node}: {drift.key} is {shown(drift.value)}, its peers have {shown(drift.expected)}"
        yield Line((("as set  ", Style.FAINT), (f"{text}{_by(drift.change)}", Style.FAINT)), hang=8)
    yield from silent_lines(report.silent)
    if not report.drifts:
        yield line("Nothing has drifted." if not report.silent else "Nothing has drifted where the nodes tell.")


def correction_lines(command: str, target: str, report: DriftReport, *, reason: bool) -> Iterator[Line]:
    """The commands that would put each drifted value back, one for each setting and value, as a shell takes them.

    With a place for the `reason`, where the target needs one.
    """
    wanted: dict[tuple[str, str], list[str]] = {}
    for drift in report.drifts:
        if drift.measure is not Measure.PEERS:
            wanted.setdefault((drift.key, _typed(drift.expected)), []).append(drift.node)
    if wanted:
        yield EMPTY
        yield line("To put them back:")
    why = ' --reason "..."' if reason else ""
    for (key, value), nodes in wanted.items():
        words = ["runbook", command, "set", key, value, "--target", target]
        words += [word for node in nodes for word in ("--node", node)]
        yield line(shlex.join(words) + why, Style.STRONG, indent=2)


def drift_data(target: str, report: DriftReport) -> dict[str, Any]:
    """What differs, with what it was compared with."""
    return {
        "target": target,
        "drifts": [_drift(drift) for drift in report.drifts],
        "as_set": [_drift(drift) for drift in report.as_set],
        "silent": _silent(report.silent),
    }


def _by_value(settings: NodeSettings, key: str) -> list[tuple[Value | None, list[str]]]:
    """The values that the answering nodes have, the commonest first, each with its nodes."""
    groups: list[tuple[Value | None, list[str]]] = []
    for name, known in settings.items():
        if isinstance(known, Silence):
            continue
        value = known.get(key)
        nodes = next((nodes for each, nodes in groups if same(each, value)), None)
        if nodes is None:
            groups.append((value, [name]))
        else:
            nodes.append(name)
    return sorted(groups, key=lambda group: -len(group[1]))


def _typed(value: Value) -> str:
    """A value as the command line takes it, with all its digits."""
    match value:
        case tuple():
            return ",".join(value)
        case float():
            return repr(value)
        case _:
            return shown(value)


def _by_reason(skipped: Iterable[Skipped]) -> Mapping[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(each.node)
    return reasons


def _told(change: SettingChange) -> tuple[str, Style]:
    what = f"{shown(change.old)} -> {shown(change.new)}"
    if change.in_doubt:
        return f"{what}, in doubt: it is not known whether it took effect", Style.UNSURE
    return (f"{what}, put back", Style.PLAIN) if change.put_back else (what, Style.PLAIN)


def _than(drift: Drift) -> str:
    expected = shown(drift.expected)
    match drift.measure:
        case Measure.LAST_SET:
            return f"last set to {expected}{_by(drift.change)}"
        case Measure.BASELINE:
            return f"the baseline has {expected}"
        case Measure.PEERS:
            return f"its peers have {expected}"


def _by(change: SettingChange | None) -> str:
    if change is None:
        return ""
    why = f": {change.reason}" if change.reason else ""
    return f" by {change.who} at {change.at:%Y-%m-%d %H:%M:%S} (run {change.run}{why})"


def _silent(known: Iterable[object]) -> list[dict[str, str]]:
    return [{"node": each.node, "reason": each.reason} for each in known if isinstance(each, Silence)]


def _change(change: SettingChange) -> dict[str, Any]:
    return {
        "at": change.at.isoformat(),
        "who": change.who,
        "run": change.run,
        "command": change.command,
        "node": change.node,
        "key": change.key,
        "old": change.old,
        "new": change.new,
        "reason": change.reason,
        "put_back": change.put_back,
        "in_doubt": change.in_doubt,
    }


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "node": drift.node,
        "key": drift.key,
        "value": drift.value,
        "expected": drift.expected,
        "measure": drift.measure.value,
        "change": None if drift.change is None else _change(drift.change),
    }
