"""Read everything once that any of the questions needs: metrics, history, settings, recent concepts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from runbook.engine.measure import Span, gather_until, series_of
from runbook.model.concept import NodeConcepts
from runbook.model.measurement import Baseline, NodeSettings, Samples, WarmUp
from runbook.model.runbook import Runbook
from runbook.model.target import Target
from runbook.ports import ReadPorts


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a fleet. `history` is what quantities with a length of their own are measured on."""

    samples: Samples
    settings: NodeSettings
    baseline: Baseline | None
    source: str
    window: timedelta = timedelta(0)
    history: Samples | None = None
    concepts: NodeConcepts = field(default_factory=dict)
    warm_up: WarmUp | None = None
    said: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be answered, and for how long it may be looked; `said` is what the person said."""

    runbooks: Sequence[Runbook]
    baseline: Baseline | None
    span: Span
    said: Mapping[str, int]


def read_fleet(questions: Questions, target: Target, ports: ReadPorts, settled: Callable[[Reading], bool]) -> Reading:
    """One window of metrics, one look at the settings and at the concepts, however many issues ask.

    Metrics are observed for the usual window, and on until they are `settled` or the longest one is over.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    quantities = [each for runbook in questions.runbooks for each in runbook.quantities]
    parts = [runbook.breakdown.metric for runbook in questions.runbooks if runbook.breakdown is not None]
    names = (*series_of(quantities), *dict.fromkeys(parts))

    def reading(samples: Samples) -> Reading:
        warm_up = WarmUp(target.warm_up, ports.clock.now().timestamp())
        read = Reading(samples, {}, questions.baseline, ports.probes.source, warm_up=warm_up)
        return replace(read, said=questions.said)

    samples, window = gather_until(ports, target.nodes, names, questions.span, lambda found: settled(reading(found)))
    lasting = [each for each in quantities if each.over is not None]
    history = None
    if ports.probes.looks_back and lasting:
        longest = max(each.over for each in lasting if each.over is not None)
        history = ports.probes.samples(target.nodes, series_of(lasting), longest)
    reviews = [runbook.review for runbook in questions.runbooks if runbook.review is not None]
    concepts: NodeConcepts = {}
    if reviews:
        since = ports.clock.now() - max(review.within for review in reviews)
        concepts = ports.nodes.concepts(target.nodes, since, max(review.most for review in reviews))
    settings = ports.nodes.settings(target.nodes)
    return replace(reading(samples), window=window, settings=settings, history=history, concepts=concepts)
