"""What one look at a fleet gives to the judges of the checks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runbook.engine.validate.against import Before, nothing
from runbook.model.concept import NodeConcepts
from runbook.model.measurement import Baseline, NodeSamples, Samples, Silence, WarmUp
from runbook.model.validation import Kept, Part
from runbook.model.validation_golden import Answered


@dataclass(frozen=True, slots=True)
class Look:
    """The samples of a window, and beside them what was asked of the nodes once.

    `seconds` is how long was looked; with `soak` slopes must be proved, too. `answered` are the golden queries of all
    nodes, or why there are none. `gone` are nodes that the baseline knows and the target has no more.
    """

    nodes: tuple[str, ...]
    samples: Samples
    baseline: Baseline | None
    confidence: float
    concepts: NodeConcepts = field(default_factory=dict)
    answered: Answered | str = "the golden queries were not asked"
    seconds: float = 0.0
    soak: bool = False
    warm_up: WarmUp | None = None
    gone: tuple[str, ...] = ()

    def heard(self) -> Iterator[tuple[str, NodeSamples]]:
        """The nodes that told something."""
        for name in self.nodes:
            found = self.samples.get(name)
            if isinstance(found, NodeSamples):
                yield name, found

    def silent(self, question: str) -> list[Part]:
        """Those that did not, and those that are gone, each an UNKNOWN."""
        parts = []
        for name in self.nodes:
            found = self.samples.get(name, Silence(name, "it was not read"))
            if isinstance(found, Silence):
                parts.append(nothing(name, question, found.reason))
        why = "the baseline knows it, the target does not: capture a new baseline"
        return parts + [nothing(name, question, why) for name in self.gone]

    def before(self, node: str, name: Kept) -> Before:
        """What the baseline says."""
        found = None if self.baseline is None else self.baseline.nodes.get(node)
        if found is None:
            return Before(None)
        return Before(found.quantities.get(name.value), found.reaches.get(name.value))

    def histograms(self, node: str) -> Mapping[str, Mapping[float, float]]:
        """The distributions that the baseline kept of that node, by metric."""
        found = None if self.baseline is None else self.baseline.nodes.get(node)
        return {} if found is None else found.histograms
