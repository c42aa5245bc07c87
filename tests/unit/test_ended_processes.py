"""Was the node ended for want of memory in the window? Its process tells more than a count that others are in, too."""

import pytest

from runbook.engine.measure import measure
from runbook.engine.restarts import same_process
from runbook.model.measurement import NodeSamples, Sample, Series
from runbook.model.metric import Metric

ENDED = Metric("ooms_total").rise("OOM restarts")
START = "process_start_time_seconds"


def series(name: str, *values: float, begin: float = 0.0) -> Series:
    """One sample a second."""
    return Series(name, (), tuple(Sample(begin + at, value) for at, value in enumerate(values)))


@pytest.mark.parametrize("kills", [(), (series("ooms_total", 2.0, 3.0, 3.0),)], ids=["not told", "of others"])
def test_a_process_that_ran_throughout_was_not_ended(kills: tuple[Series, ...]) -> None:
    """A node without the count is no riddle, and the kernel's count holds others of the control group."""
    found = NodeSamples("a", (*kills, series(START, 500.0, 500.0, 500.0)))
    assert measure("a", found, ENDED).value == 0.0


@pytest.mark.parametrize(
    "start",
    [
        (series(START, 500.0, 600.0, 600.0),),
        (series(START, 500.0, 500.0),),
        (series(START, 500.0, 500.0, begin=1.0),),
        (series(START, 500.0, begin=2.0),),
        (),
    ],
    ids=["another one", "not to the end", "not from the beginning", "once", "not told"],
)
def test_what_was_not_seen_throughout_may_have_been_ended(start: tuple[Series, ...]) -> None:
    """Then the count decides; where there is none, nothing is known."""
    counted = NodeSamples("a", (series("ooms_total", 2.0, 3.0, 3.0), *start))
    assert not same_process(counted)
    assert measure("a", counted, ENDED).value == 1.0
    assert measure("a", NodeSamples("a", (series("other", 1.0, 1.0, 1.0), *start)), ENDED).value is None
