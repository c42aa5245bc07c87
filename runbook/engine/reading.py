"""Read everything once that any of the questions needs: metrics, history, settings, recent concepts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from runbook.engine.measure import gather, series_of
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
    history: Samples | None = None
    concepts: NodeConcepts = field(default_factory=dict)
    warm_up: WarmUp | None = None
    said: Mapping[str, int] = field(default_factory=dict)


def read_fleet(
    runbooks: Sequence[Runbook],
    target: Target,
    ports: ReadPorts,
    baseline: Baseline | None,
    window: timedelta,
    said: Mapping[str, int],
) -> Reading:
    """One window of metrics, one look at the settings and at the concepts, however many issues ask.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    quantities = [each for runbook in runbooks for each in runbook.quantities]
    parts = [runbook.breakdown.metric for runbook in runbooks if runbook.breakdown is not None]
    samples = gather(ports, target.nodes, (*series_of(quantities), *dict.fromkeys(parts)), window)
    lasting = [each for each in quantities if each.over is not None]
    history = None
    if ports.probes.looks_back and lasting:
        longest = max(each.over for each in lasting if each.over is not None)
        history = ports.probes.samples(target.nodes, series_of(lasting), longest)
    settings = ports.nodes.settings(target.nodes)
    reviews = [runbook.review for runbook in runbooks if runbook.review is not None]
    concepts: NodeConcepts = {}
    if reviews:
        since = ports.clock.now() - max(review.within for review in reviews)
        concepts = ports.nodes.concepts(target.nodes, since, max(review.most for review in reviews))
    warm_up = WarmUp(target.warm_up, ports.clock.now().timestamp())
    return Reading(samples, settings, baseline, ports.probes.source, history, concepts, warm_up, said)
