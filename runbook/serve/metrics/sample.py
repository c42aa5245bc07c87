"""One number for Prometheus."""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Sample(NamedTuple):
    """The name without its prefix, the labels' values in the order of `runbook.model.served`, the value."""

    name: str
    labels: tuple[str, ...]
    value: float


Source = Callable[[], Iterable[Sample]]
"""What knows some of the samples; it raises `RunbookError` or `OSError` where it cannot tell, and they are absent."""
