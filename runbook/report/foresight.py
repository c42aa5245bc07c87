"""What is foreseen of a plan, as text and as data."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from runbook.model.duration import in_words
from runbook.model.foresight import ENOUGH, FEWEST_UNITS, Behaviour, Foresight, Power, Record, StageForeseen
from runbook.model.judgement import Metric
from runbook.report.lines import EMPTY, Line, Style, line


def foresight_lines(found: Foresight) -> Iterator[Line]:
    """What the record says of the fleet, each judged stage with its power, and one sentence."""
    if found.record is not None:
        yield from _record_lines(found.record)
    for stage in found.stages:
        yield EMPTY
        yield from stage_lines(stage)
    yield EMPTY
    yield line(sentence(found), Style.GOOD if found.decides else Style.UNSURE)
    for told in found.told:
        yield line(told, Style.FAINT)


def stage_lines(stage: StageForeseen) -> Iterator[Line]:
    """One judged stage: its units and looks, each guardrail, and what promotes."""
    style = Style.GOOD if stage.decides else Style.UNSURE
    looks = "1 look" if stage.looks == 1 else f"{stage.looks} looks"
    can = "can decide" if stage.decides else "cannot decide"
    yield line(
        f"{stage.stage}: {can}; {stage.treated} spaces of treatment and {stage.controls} of control,"
        f" {looks} in {in_words(stage.lasts)}",
        style,
        hang=2,
    )
    if not stage.treated or not stage.controls:
        yield line("an arm is empty: nothing can be compared", indent=2, hang=2)
        return
    if stage.few:
        yield line(
            f"fewer than {FEWEST_UNITS} spaces in an arm: the randomisation test decides alone", indent=2, hang=2
        )
    for power in stage.powers:
        yield line(_power(power), indent=2, hang=2)
    yield line(f"all guardrails proved safe at once, where nothing changed: {stage.safe:.0%}", indent=2, hang=2)


def sentence(found: Foresight) -> str:
    """The answer in one sentence."""
    if found.why_not:
        return f"It cannot be said whether plan {found.plan} can decide: {found.why_not}."
    runs = f"in {ENOUGH:.0%} or more of {found.runs} simulated runs"
    unable = [stage.stage for stage in found.stages if not stage.decides]
    if not unable:
        return f"Every judged stage can decide its margins in its time, {runs}."
    return f"Not every judged stage can decide its margins in its time {runs}: {', '.join(unable)} cannot."


def foresight_data(found: Foresight) -> dict[str, Any]:
    """The same as data."""
    return {
        "plan": found.plan,
        "runs": found.runs,
        "decides": None if found.why_not else found.decides,
        "sentence": sentence(found),
        "told": list(found.told),
        "record": None if found.record is None else _record_data(found.record),
        "stages": [_stage_data(stage) for stage in found.stages],
    }


def _record_lines(record: Record) -> Iterator[Line]:
    length = in_words(timedelta(seconds=record.seconds * record.buckets))
    rates = sorted(rate * 3600 for rate in record.recalls.values())
    yield line(
        f"On record: {record.spaces} spaces over {length} in buckets of {in_words(timedelta(seconds=record.seconds))};"
        f" {rates[0]:.0f} to {rates[-1]:.0f} recalls an hour, the middle space {rates[len(rates) // 2]:.0f}",
        Style.STRONG,
        hang=2,
    )
    for behaviour in record.behaviours.values():
        yield line(_behaviour(behaviour), Style.FAINT, indent=2, hang=2)


def _behaviour(one: Behaviour) -> str:
    unit = "logarithm" if one.metric is Metric.LATENCY else "share"
    drift = f", drifts by {one.drift:.3g}" if one.drift else ""
    wander = f", wanders by {one.wander:.3g} (of which {one.persistence:.0%} is left a bucket later)" * bool(one.wander)
    return f"{one.metric.value} ({unit}): spaces differ by {one.between:.3g}, recalls by {one.noise:.3g}{wander}{drift}"


def _power(power: Power) -> str:
    guardrail = power.guardrail
    margin, harmful = (_told(guardrail.metric, value) for value in (guardrail.margin, power.harmful))
    return (
        f"{guardrail.metric.value}, margin {margin}: no change is proved safe in {power.safe:.0%}"
        f"{_half(power.safe_after)}, {harmful} worse is found in {power.harm:.0%}{_half(power.harm_after)}"
    )


def _told(metric: Metric, value: float) -> str:
    match metric:
        case Metric.LATENCY:
            return f"{value * 100:g} %"
        case Metric.CONFIDENCE:
            return f"{value:g}"
        case Metric.ERRORS | Metric.SLOW:
            return f"{value * 100:g} percentage points"


def _half(after: timedelta | None) -> str:
    return "" if after is None else f" (half of them by {in_words(after)})"


def _record_data(record: Record) -> dict[str, Any]:
    return {
        "spaces": record.spaces,
        "bucket_seconds": record.seconds,
        "buckets": record.buckets,
        "recalls_per_hour": {space: rate * 3600 for space, rate in record.recalls.items()},
        "behaviours": [
            {
                "metric": each.metric.value,
                "level": each.level,
                "between": each.between,
                "noise": each.noise,
                "wander": each.wander,
                "persistence": each.persistence,
                "drift": each.drift,
            }
            for each in record.behaviours.values()
        ],
    }


def _stage_data(stage: StageForeseen) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "decides": stage.decides,
        "treated": stage.treated,
        "controls": stage.controls,
        "few": stage.few,
        "looks": stage.looks,
        "seconds": stage.lasts.total_seconds(),
        "all_safe": stage.safe,
        "guardrails": [
            {
                "metric": power.guardrail.metric.value,
                "margin": power.guardrail.margin,
                "safe": power.safe,
                "safe_after_seconds": _seconds(power.safe_after),
                "harmful": power.harmful,
                "harm": power.harm,
                "harm_after_seconds": _seconds(power.harm_after),
            }
            for power in stage.powers
        ],
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
