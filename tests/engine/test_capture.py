"""What a baseline is made of: numbers that later ones can be held against."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fleet_in_memory import world

from runbook.adapters.memory.probes import MemoryProbes
from runbook.engine.baseline import capture
from runbook.model.metric import Metric

SURE = Metric("sure").mean("mean")
FORMED = Metric("formed_total").per_minute("concepts/min")


@pytest.mark.parametrize("recalls", [0, 1, 2])
def test_a_mean_that_tells_no_interval_is_left_out(recalls: int) -> None:
    """Of one recall in the window it is what one person asked: nothing would be usual by that."""
    scene = world(("a",))

    def expose(_: str, at: float) -> Any:
        count = float(recalls) if at > 1 else 0.0
        buckets = {("sure_bucket", (("le", le),)): count for le in ("0.75", "+Inf")}
        return buckets | {("sure_sum", ()): 0.7 * count, ("sure_count", ()): count, ("formed_total", ()): at}

    scene.with_(read=replace(scene.ports.read, probes=MemoryProbes(scene.ports.read.clock, expose)))
    begin = scene.ports.read.clock.monotonic()
    assert begin < 1, "the clock of the world begins at zero"
    found, silent = capture(scene.target, (SURE, FORMED), scene.ports.read, timedelta(seconds=2))
    assert silent == ()
    assert found.quantity("a", FORMED.name) == pytest.approx(60)
    assert found.quantity("a", SURE.name) == (pytest.approx(0.7) if recalls > 1 else None)
