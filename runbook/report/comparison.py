"""The report of an A/B comparison as text and as data."""

import math
from collections.abc import Iterator
from typing import Any

from runbook.engine.judging.comparison import Comparison, Ratio
from runbook.model.measurement import Silence
from runbook.report.access import access_data, access_lines
from runbook.report.judgement import finite, judgement_data, judgement_lines
from runbook.report.lines import EMPTY, Line, Style, line


def comparison_lines(found: Comparison) -> Iterator[Line]:
    """What is compared, the judgement, and what stands beside it."""
    yield line(_heading(found), Style.STRONG)
    yield EMPTY
    yield from judgement_lines(found.judgement)
    if found.units is not None:
        yield EMPTY
        yield from _units_lines(found)
    if found.access is not None:
        yield EMPTY
        yield from access_lines(found.access)
    for silence in found.silent:
        yield line(f"{silence.node} could not be asked: {silence.reason}", Style.UNSURE, hang=2)


def comparison_data(found: Comparison) -> dict[str, Any]:
    """The same as data; shares are 0..1."""
    units = found.units
    treatment, control = found.arms
    return {
        "target": found.target,
        "rollout": found.rollout,
        "share": found.share,
        "judgement": judgement_data(found.judgement),
        "buckets": 0 if units is None else units.buckets,
        "units": {"treatment": treatment, "control": control},
        "served": {
            "treated_spaces": 0 if units is None else units.treated_spaces,
            "spaces": 0 if units is None else units.spaces,
            "treated_recalls": 0 if units is None else units.treated_recalls,
            "recalls": 0 if units is None else units.recalls,
        },
        "p99_ratio": None if found.ratio is None else _ratio_data(found.ratio),
        "silent": [_silence_data(silence) for silence in found.silent],
        "access": None if found.access is None else access_data(found.access),
    }


def _heading(found: Comparison) -> str:
    share = "not known" if found.share is None else f"{found.share * 100:g} % of the spaces"
    if found.rollout is None:
        return f"{found.target}: no rollout is running; what the nodes' own share does ({share})"
    return f"{found.target}: rollout {found.rollout}, stage {found.judgement.stage} ({share})"


def _units_lines(found: Comparison) -> Iterator[Line]:
    units, (treatment, control) = found.units, found.arms
    if units is None:
        return
    yield line(f"Units: {treatment} treatment and {control} control spaces over {units.buckets} buckets.")
    yield line(
        f"Served as treatment: {units.treated_spaces} of {units.spaces} spaces ({_percent(units.share_of_spaces)}), "
        f"{units.treated_recalls} of {units.recalls} recalls ({_percent(units.share_of_traffic)})."
    )
    if found.ratio is not None:
        yield line(f"p99, treatment over control: {_ratio_text(found.ratio)}; for people, nothing is judged by it.")


def _ratio_text(ratio: Ratio) -> str:
    if not math.isfinite(ratio.high):
        return f"{ratio.value:.2f} (too few spaces for an interval)"
    return f"{ratio.value:.2f} ({ratio.low:.2f} .. {ratio.high:.2f}, bootstrap over spaces)"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %" if math.isfinite(share) else "not known"


def _ratio_data(ratio: Ratio) -> dict[str, Any]:
    known = math.isfinite(ratio.high)
    return {
        "value": finite(ratio.value),
        "low": ratio.low if known else None,
        "high": ratio.high if known else None,
    }


def _silence_data(silence: Silence) -> dict[str, str]:
    return {"node": silence.node, "reason": silence.reason}
