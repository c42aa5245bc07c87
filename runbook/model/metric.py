"""Quantities, written as the field says them.

formed = Metric("engram_concepts_formed_total").per_minute("concepts/min")
slow = Metric("engram_consolidation_duration_seconds").quantile(0.99)
memory = Metric("process_resident_memory_bytes").megabytes_per_hour()
"""

from dataclasses import dataclass

from runbook.model.quantity import How, Labels, Quantity


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by its exposed name; its series are summed over their labels, those with `labels` alone where given."""

    name: str
    labels: Labels = ()

    def last(self, unit: str) -> Quantity:
        """The newest value of a gauge."""
        return Quantity(self.name, How.LAST, unit, labels=self.labels)

    def rise(self, unit: str) -> Quantity:
        """How often a count of ended processes rose within the window; it outlives them, so that a restart is no reset.

        None where one process ran throughout, whatever the count says: others are counted in it, too.
        """
        return Quantity(self.name, How.RISE, unit, labels=self.labels)

    def share_of(self, whole: str) -> Quantity:
        """The newest value of a gauge, in per cent of another's."""
        return Quantity(self.name, How.SHARE, "%", scale=100.0, labels=self.labels, whole=whole)

    def part_of(self, whole: str, labels: Labels = ()) -> Quantity:
        """The increase of a counter in per cent of another's (its series with `labels`), with its 95 % interval."""
        return Quantity(self.name, How.PART, "%", scale=100.0, labels=self.labels, other=labels, whole=whole)

    def per_minute(self, unit: str) -> Quantity:
        """The increase of a counter per minute; a restart of the process is no decrease."""
        return Quantity(self.name, How.RATE_PER_MINUTE, unit, labels=self.labels)

    def quantile(self, q: float, unit: str = "s") -> Quantity:
        """A quantile of what a histogram saw within the window."""
        return Quantity(self.name, How.QUANTILE, unit, quantile=q, labels=self.labels)

    def mean(self, unit: str) -> Quantity:
        """The mean of what a histogram saw within the window, with its 95 % interval."""
        return Quantity(self.name, How.MEAN, unit, labels=self.labels)

    def mean_against(self, other: Labels, unit: str) -> Quantity:
        """The mean as a share of the other group's mean in the same window, with its 95 % interval."""
        return Quantity(self.name, How.MEAN_RATIO, unit, labels=self.labels, other=other)

    def megabytes_per_hour(self) -> Quantity:
        """The slope of a gauge in bytes, as 10^6 bytes per hour, with its 95 % interval."""
        return Quantity(self.name, How.GROWTH_PER_HOUR, "MB/h", scale=1e-6, labels=self.labels)
