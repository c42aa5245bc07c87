"""Each quantity as series that Prometheus records: the number that `runbook/engine/measure.py` comes to, per node.

Where the two cannot be the same, the note above the rule says so. What holds for all of them:

- `rate` and `increase` reach out to the ends of the window by a straight line; this tool counts what was seen.
- A counter that is born within the window is counted by this tool from zero; Prometheus does not see that first step.
- A restart is seen by this tool in `process_start_time_seconds` too; Prometheus sees it where the counter fell.
"""

from collections.abc import Callable
from datetime import timedelta

from runbook.engine.monitoring.promql import BY_PLACE, USUAL, identifier, number, of_nodes, span, summed, window
from runbook.model.configuration import WARM_UP
from runbook.model.monitoring import PLACE, SCRAPE, Recording
from runbook.model.quantity import How, Labels, Quantity
from runbook.statistics.means import FEWEST, REACH

START = "process_start_time_seconds"
FEWEST_SAMPLES = 5
REACHES_BACK = 0.9
ON_PLACE = f"on ({', '.join(PLACE)})"
_NO_INTERVAL = "Prometheus has no interval for it: the alert asks the number alone, and for longer."
_OF = {How.SHARE: "share_of", How.PART: "part_of", How.MEAN_RATIO: "mean_against"}


def record_of(quantity: Quantity) -> str:
    """The name of the recorded series, such as `engram:consolidation_duration_seconds:p99`."""
    parts = [quantity.metric.removeprefix("engram_"), *(value for _, value in quantity.labels)]
    how = _OF.get(quantity.how, quantity.how.value)
    if quantity.quantile is not None:
        how = f"p{number(quantity.quantile * 100)}"
    if quantity.whole:
        how = f"{how}_{quantity.whole.removeprefix('engram_')}"
    if quantity.other and quantity.other != quantity.labels:
        how = "_".join([how, *(value for _, value in quantity.other)])
    if quantity.over is not None:
        how = f"{how}_{span(quantity.over)}"
    return f"engram:{_short(parts)}:{_short([how])}"


def _short(parts: list[str]) -> str:
    return identifier("_".join(parts).replace("_total", ""))


def low_of(quantity: Quantity) -> str:
    """The series of the lower end of its interval; the number itself where Prometheus has none."""
    return f"{record_of(quantity)}_low" if quantity.how is How.PART else record_of(quantity)


def high_of(quantity: Quantity) -> str:
    """The series of the upper end of its interval; the number itself where Prometheus has none."""
    return f"{record_of(quantity)}_high" if quantity.how is How.PART else record_of(quantity)


def recordings(quantity: Quantity, scrape: timedelta = SCRAPE) -> tuple[Recording, ...]:
    """What Prometheus has to keep for this quantity, in the order of evaluation."""
    return _WAYS[quantity.how](quantity, window(quantity.over or USUAL, scrape))


def _one(quantity: Quantity, expr: str, note: str = "") -> tuple[Recording, ...]:
    return (Recording(record_of(quantity), expr, note=note),)


def _times(expr: str, scale: float) -> str:
    return expr if scale == 1 else f"{expr} * {number(scale)}"


def _last(quantity: Quantity, _: str) -> tuple[Recording, ...]:
    return _one(quantity, _times(summed(of_nodes(quantity.metric, quantity.labels)), quantity.scale))


def _rate(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    rate = summed(f"rate({of_nodes(quantity.metric, quantity.labels)}[{over}])")
    return _one(quantity, _times(rate, 60 * quantity.scale))


def _rise(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    rise = summed(f"increase({of_nodes(quantity.metric, quantity.labels)}[{over}])")
    again = f"(max {BY_PLACE} (changes({of_nodes(START)}[{over}])) > bool 0)"
    note = "Of a node that ran throughout it is 0, whatever the count says: others are counted in it, too."
    return _one(quantity, f"{_times(rise, quantity.scale)}\n  * {ON_PLACE} {again}", note)


def _share(quantity: Quantity, _: str) -> tuple[Recording, ...]:
    part, whole = summed(of_nodes(quantity.metric, quantity.labels)), summed(of_nodes(quantity.whole))
    return _one(quantity, f"{number(quantity.scale)} * {part}\n  / ({whole} > 0)")


def _part(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    """With Wilson's interval, as `runbook/statistics/shares.py`."""
    name, scale = record_of(quantity), number(quantity.scale)
    part = summed(f"increase({of_nodes(quantity.metric, quantity.labels)}[{over}])")
    whole = summed(f"increase({of_nodes(quantity.whole, quantity.other)}[{over}])")
    share, squared = f"clamp_max({name} / {scale}, 1)", number(REACH * REACH)
    half = f"sqrt({share} * (1 - {share}) * {squared} / {name}_of + ({squared} / (2 * {name}_of)) ^ 2)"
    middle, below = f"{share} + {squared} / (2 * {name}_of)", f"(1 + {squared} / {name}_of)"
    return (
        Recording(f"{name}_of", f"{whole} > 0", note="The whole in the window: of nothing there is no share."),
        Recording(name, f"{scale} * {part}\n  / {name}_of"),
        Recording(
            f"{name}_low",
            f"clamp_min({scale} * ({middle}\n  - {half})\n  / {below}, 0)",
            note="The ends of Wilson's 95 % interval of the share.",
        ),
        Recording(f"{name}_high", f"clamp_max({scale} * ({middle}\n  + {half})\n  / {below}, {scale})"),
    )


def _quantile(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    buckets = (
        f"sum by (le, {', '.join(PLACE)}) (rate({of_nodes(f'{quantity.metric}_bucket', quantity.labels)}[{over}]))"
    )
    found = f"histogram_quantile({number(quantity.quantile or 0.0)}, {buckets})"
    return _one(quantity, f"{_times(found, quantity.scale)} >= 0", "Where nothing happened there is no number.")


def _mean_of(metric: str, labels: Labels, over: str) -> str:
    seconds, count = (summed(f"increase({of_nodes(metric + end, labels)}[{over}])") for end in ("_sum", "_count"))
    return f"{seconds}\n  / ({count} > 0)"


def _mean(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    mean = _mean_of(quantity.metric, quantity.labels, over)
    return _one(quantity, _times(f"({mean})" if quantity.scale != 1 else mean, quantity.scale), _NO_INTERVAL)


def _mean_ratio(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    one, other = (_mean_of(quantity.metric, labels, over) for labels in (quantity.labels, quantity.other))
    counts = [of_nodes(f"{quantity.metric}_count", labels) for labels in (quantity.labels, quantity.other)]
    enough = "".join(f"\n  and {summed(f'increase({count}[{over}])')} >= {FEWEST}" for count in counts)
    return _one(quantity, f"({one})\n  / (({other}) > 0){enough}", _NO_INTERVAL)


def _growth(quantity: Quantity, over: str) -> tuple[Recording, ...]:
    """Since the last restart and after the warm-up alone, and only where the samples reach back far enough."""
    series, length = of_nodes(quantity.metric, quantity.labels), quantity.over or USUAL
    slope = summed(f"deriv({series}[{over}])")
    old = f"(time() - max {BY_PLACE} ({of_nodes(START)}) >= {number((length + WARM_UP).total_seconds())})"
    many = f"(min {BY_PLACE} (count_over_time({series}[{over}])) >= {FEWEST_SAMPLES})"
    expr = f"{slope} * {number(3600 * quantity.scale)}\n  and {ON_PLACE} {old}\n  and {ON_PLACE} {many}"
    if quantity.over is not None:
        back = f"{series} offset {span(timedelta(seconds=round(REACHES_BACK * length.total_seconds())))}"
        expr += f"\n  and {ON_PLACE} max {BY_PLACE} ({back})"
    note = (
        f"After a start the node fills: nothing is said for the window and {number(WARM_UP.total_seconds())} s. "
        "The interval of the slope, which allows for memory that wanders, only this tool has."
    )
    return _one(quantity, expr, note)


_WAYS: dict[How, Callable[[Quantity, str], tuple[Recording, ...]]] = {
    How.LAST: _last,
    How.RISE: _rise,
    How.SHARE: _share,
    How.PART: _part,
    How.RATE_PER_MINUTE: _rate,
    How.QUANTILE: _quantile,
    How.MEAN: _mean,
    How.MEAN_RATIO: _mean_ratio,
    How.GROWTH_PER_HOUR: _growth,
}
