"""Watch until what is expected has held long enough, or the time is up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.evaluate import evaluate
from runbook.engine.measure import measure, series_of
from runbook.model.answer import Answer, all_of
from runbook.model.finding import Finding
from runbook.model.measurement import Baseline, Samples, Silence
from runbook.model.runbook import Verify
from runbook.model.target import Node
from runbook.ports import ReadPorts

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
LOOKS_PER_HOLD = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """How the watch ended: YES recovered, NO not, UNKNOWN could not tell; with the last findings.

    `superseded_by` is the run of the emergency brake that ended the watch before its time.
    """

    answer: Answer
    findings: tuple[Finding, ...]
    seconds: float
    held_seconds: float
    superseded_by: str = ""


def watch(
    ports: ReadPorts,
    verify: Verify,
    nodes: Sequence[Node],
    baseline: Baseline | None,
    length: timedelta,
    overtaken: Callable[[], str] = str,
) -> Watched:
    """Look until every expectation holds over the last `verify.hold` of `length`, on every node.

    It ends at once when `overtaken` names a run.
    A measurement covers only time since the watch began, so that the incident itself is not held against it.
    """
    hold = length.total_seconds() * verify.hold
    pause = min(max(hold / LOOKS_PER_HOLD, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
    names = series_of([condition.quantity for condition in verify.expect])
    begin = ports.clock.monotonic()
    while True:
        ports.probes.observe(nodes, names)
        passed = ports.clock.monotonic() - begin
        by = overtaken()
        if by:
            ports.talk.progress("watching", length.total_seconds(), length.total_seconds())
            return Watched(Answer.UNKNOWN, (), passed, hold, by)
        if passed >= hold:
            samples = ports.probes.samples(nodes, names, timedelta(seconds=hold))
            findings = _findings(verify, nodes, samples, baseline, ports.probes.source)
            answer = all_of(finding.answer for finding in findings)
            if answer is Answer.YES or passed >= length.total_seconds():
                ports.talk.progress("watching", length.total_seconds(), length.total_seconds())
                return Watched(answer, findings, passed, hold)
        ports.talk.progress("watching", passed, length.total_seconds())
        ports.clock.sleep(min(pause, max(length.total_seconds() - passed, SHORTEST_PAUSE_SECONDS / 5)))


def _findings(
    verify: Verify, nodes: Sequence[Node], samples: Samples, baseline: Baseline | None, source: str
) -> tuple[Finding, ...]:
    found = []
    for node in nodes:
        read = samples.get(node.name, Silence(node.name, "it was not read"))
        for condition in verify.expected_of(node.name):
            quantity = condition.quantity
            before = None if baseline is None else baseline.quantity(node.name, quantity.name)
            # Back at the figure that was recorded; how well that one is known counted when it was missed.
            measured = measure(node.name, read, quantity)
            found.append(evaluate(f"{quantity.metric} is back", condition, measured, before, source))
    return tuple(found)
