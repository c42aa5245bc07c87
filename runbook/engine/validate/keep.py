"""What a baseline keeps of a node, so that the validator can compare with it. Pure."""

import math
from dataclasses import dataclass
from statistics import fmean

from runbook.engine.validate.observe import FANS, cpu, fans, latency, observed
from runbook.model.concept import RecentConcept
from runbook.model.measurement import NodeSamples, Samples, Silence
from runbook.model.validation import Kept
from runbook.model.validation_limits import CONFIDENCE

LATENCY_REACH, CPU_REACH = 0.05, 0.07
"""Half an interval, as a share of its value, from which on it is known well."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Quantities by key, how well each is known, and distributions by metric."""

    quantities: dict[str, float]
    reaches: dict[str, float]
    histograms: dict[str, dict[float, float]]


def known_well(samples: Samples) -> bool:
    """Is what later validations compare with known well, wherever it is known at all? Limits are at 10 % and more."""
    for found in samples.values():
        if isinstance(found, NodeSamples):
            for way, most in ((latency, LATENCY_REACH), (cpu, CPU_REACH)):
                seen = way(found, CONFIDENCE)
                if seen.value and not seen.reason and (seen.reach or 0.0) > most * seen.value:
                    return False
    return True


def keeping(found: NodeSamples, concepts: tuple[RecentConcept, ...] | Silence) -> Keeping:
    """Everything that is known of the node; what is not, and what has no interval, is left out."""
    seen = observed(found, CONFIDENCE)
    values = {name.value: each.value for name, each in seen.items() if each.value is not None and not each.reason}
    reaches = {
        str(name.value): each.reach for name, each in seen.items() if name.value in values and each.reach is not None
    }
    if not isinstance(concepts, Silence) and concepts:
        values[Kept.COHERENCE.value] = fmean(each.coherence for each in concepts)
    spread, histograms = fans(found), {}
    if not isinstance(spread, str):
        values[Kept.FAN.value] = spread.worth
        histograms[FANS] = dict(spread.histogram.counts)
    return Keeping({name: value for name, value in values.items() if math.isfinite(value)}, reaches, histograms)
