"""Carry out `runbook baseline`: every quantity that any known issue compares with is recorded."""

import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import runbook.issues
from runbook.cli import compose
from runbook.cli.issue import issue_of
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.baseline import capture
from runbook.engine.evaluate import figure
from runbook.errors import ExitCode
from runbook.model.journal import Event
from runbook.model.measurement import Baseline
from runbook.model.quantity import Quantity
from runbook.report.document import baseline_data, envelope
from runbook.report.lines import Line, Style, line, shown


def quantities() -> tuple[Quantity, ...]:
    """Every quantity of every known issue, each once."""
    names = [module.name for module in pkgutil.iter_modules(runbook.issues.__path__)]
    return tuple(dict.fromkeys(quantity for name in names for quantity in issue_of(name).quantities))


def capture_baseline(name: str | None, config: Path | None, window: timedelta | None, *, as_json: bool) -> ExitCode:
    """Measure, keep, journal, tell. PARTIAL where a node was silent: it is missing from the baseline."""
    current = compose.session()
    target = compose.target_of(current, name, config)
    with ScreenTalk() as talk:
        ports = compose.read_ports(current, target, talk)
        baseline, silent = capture(target, quantities(), ports, window or ports.probes.usual_window)
    # First the journal, so that no baseline is in use that nobody is known to have captured.
    details = {"target": target.name, "nodes": sorted(baseline.nodes)}
    current.journal.append(Event.BASELINE_CAPTURED, "", details)
    path = current.store.save_baseline(baseline)
    code = ExitCode.PARTIAL if silent else ExitCode.DONE
    if as_json:
        show_json(envelope("baseline", "runbook baseline capture", code, baseline_data(baseline, silent, path)))
        return code
    show(_lines(baseline, path))
    show(line(f"{each.node} is missing from it: {each.reason}", Style.BAD) for each in silent)
    return code


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
            yield line(f"{quantity:<58} {figure(value)}", indent=2, hang=2)
        for key, setting in node.settings.items():
            yield line(f"{key:<58} {shown(setting)}", Style.FAINT, indent=2, hang=2)
    if path:
        yield line(f"kept in {path}", Style.FAINT)
