"""Record what a fleet looks like while it is well: the quantities that any issue compares with, and the settings."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from runbook.engine.evaluate import check_setting, evaluate
from runbook.engine.measure import Span, gather_until, measure, pause_of, series_of
from runbook.engine.validate.keep import keeping, known_well
from runbook.engine.validate.observe import SERIES
from runbook.engine.validate.quality import MOST_CONCEPTS
from runbook.errors import NotSupportedError, UnreachableError
from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.measurement import Baseline, Measurement, NodeBaseline, Silence
from runbook.model.quantity import AboveBaseline, BelowBaseline, How, Quantity
from runbook.model.runbook import Runbook
from runbook.model.target import Target
from runbook.ports import ReadPorts

LONGER = 3
"""Where a window does not tell latency and CPU well enough, up to so many windows are measured."""
SHORT = timedelta(seconds=30)
"""A window under this is as it was asked for: it is no time to know anything well."""
SCRAPES = 30
"""Looks in a window, so that the median over blocks of time has an interval worth having."""
EVER = datetime.fromtimestamp(0, UTC)


def doubts(baseline: Baseline, runbooks: Sequence[Runbook]) -> tuple[str, ...]:
    """Why the fleet does not look well: leading symptoms over their absolute limits, settings short of the defaults.

    A baseline taken in an incident would call the incident usual.
    """
    found = []
    for runbook in runbooks:
        for name, node in baseline.nodes.items():
            asked = list(_leading(runbook, name, node))
            asked += [check_setting(check, name, node.settings.get(check.key), None, "") for check in runbook.checks]
            found += [f"{name}: {each.arithmetic}" for each in asked if each.answer is Answer.YES]
    return tuple(found)


def _leading(runbook: Runbook, name: str, node: NodeBaseline) -> Iterator[Finding]:
    """The leading symptom, where it compares with a baseline: that is what a sick one would spoil."""
    condition = runbook.leading.condition
    if isinstance(condition, AboveBaseline | BelowBaseline):
        quantity = condition.quantity
        measured = Measurement(name, quantity.name, node.quantities.get(quantity.name))
        yield evaluate(runbook.leading.title, condition, measured, None, "")


def capture(
    target: Target,
    quantities: Sequence[Quantity],
    ports: ReadPorts,
    window: timedelta,
) -> tuple[Baseline, tuple[Silence, ...]]:
    """Measure for one window and read the settings; the nodes that were silent are told, and left out.

    On a busy machine the window is made longer, until what is compared with it later is known well.

    A quantity without data, or with too little for an interval, is left out too, so that the absolute limits alone
    judge it later.

    Raises:
        UnreachableError: no node answered; there is nothing to record.
        NotSupportedError: nor is there of those that did.
    """
    names = tuple(dict.fromkeys((*series_of(quantities), *SERIES)))
    pause = None if ports.probes.looks_back else pause_of(window, SCRAPES)
    longest = window * LONGER if window >= SHORT else window
    samples, window = gather_until(ports, target.nodes, names, Span(window, longest, SCRAPES), known_well)
    settings = ports.nodes.settings(target.nodes)
    concepts = ports.nodes.concepts(target.nodes, EVER, MOST_CONCEPTS)
    recorded: dict[str, NodeBaseline] = {}
    silent: list[Silence] = []
    for node in target.nodes:
        found = samples.get(node.name, Silence(node.name, "it was not read"))
        known = settings.get(node.name, Silence(node.name, "its settings were not read"))
        if isinstance(found, Silence):
            silent.append(found)
        elif isinstance(known, Silence):
            silent.append(known)
        else:
            measured = [measure(node.name, found, quantity) for quantity in quantities]
            values = {each.quantity: each.value for each in measured if each.value is not None and not each.reason}
            more = keeping(found, concepts.get(node.name, Silence(node.name, "its concepts were not read")))
            reaches = _reaches(measured, quantities) | more.reaches
            recorded[node.name] = NodeBaseline(values | more.quantities, known, reaches, more.histograms)
    if not recorded:
        told = all(each.answered for each in silent)
        kind, what = (NotSupportedError, "tells what a baseline is made of") if told else (UnreachableError, "answered")
        raise kind(
            f"no node of {target.name} {what}, so there is nothing to record",
            hint="; ".join(f"{each.node}: {each.reason}" for each in silent),
        )
    now, seconds = ports.clock.now(), window.total_seconds()
    return Baseline(target.name, now, seconds, recorded, pause_seconds=pause), tuple(silent)


def _reaches(measured: Sequence[Measurement], quantities: Sequence[Quantity]) -> dict[str, float]:
    """How well the means are known: a later diagnosis compares with them, and must not take them for exact."""
    means = {quantity.name for quantity in quantities if quantity.how is How.MEAN}
    known = ((each.quantity, each.low, each.high) for each in measured if each.quantity in means and not each.reason)
    return {name: (high - low) / 2 for name, low, high in known if low is not None and high is not None}
