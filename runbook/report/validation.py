"""A validation as text and as JSON."""

import math
from collections.abc import Iterator
from typing import Any

from runbook.engine.figures import figure
from runbook.model.validation import Checked, Outcome, Part, Recommendation, Validation
from runbook.model.validation_golden import Golden
from runbook.model.validation_limits import CHECKS, RULES, CheckKind, Limit
from runbook.report.lines import EMPTY, Line, Style, line

STYLES = {Outcome.PASS: Style.GOOD, Outcome.FAIL: Style.BAD, Outcome.UNKNOWN: Style.UNSURE}
WAYS = {
    Recommendation.PROCEED: Style.GOOD,
    Recommendation.HOLD: Style.UNSURE,
    Recommendation.ROLL_BACK: Style.BAD,
}
_KINDS = {kind.name: kind for kind in CHECKS}


def kind_of(checked: Checked) -> CheckKind:
    """What the check asks, and its limits."""
    return _KINDS[checked.name]


def heading(validation: Validation) -> str:
    """What was looked at, for how long, against what."""
    what = "Soak of" if validation.soak else "Validation of"
    against = "no baseline"
    if validation.baseline_at is not None:
        against = f"the baseline of {validation.baseline_at.isoformat(timespec='seconds')}"
    nodes = len(validation.nodes)
    return (
        f"{what} {validation.target}, {nodes} node{'s' * (nodes != 1)}, {validation.seconds:.0f} s, against {against}"
    )


def method(validation: Validation) -> str:
    """Where the numbers come from, and how sure the intervals are."""
    looks = f"look {validation.looks}" if validation.looks > 1 else "one look"
    return f"from {validation.source}, {looks}; in brackets the {validation.confidence:.1%} intervals"


def validation_lines(validation: Validation) -> Iterator[Line]:
    """Eight checks with their arithmetic and limits, and the recommendation with its rule."""
    yield line(heading(validation), Style.STRONG)
    yield line(method(validation), Style.FAINT)
    for checked in validation.checks:
        yield EMPTY
        kind = kind_of(checked)
        yield Line(((f"{checked.outcome.value:<8}", STYLES[checked.outcome]), (kind.title, Style.STRONG)))
        for part in checked.parts:
            yield part_line(part)
        for limit in kind.limits:
            yield line(f"limit {limit_told(limit)}", Style.FAINT, indent=8, hang=2)
    yield EMPTY
    for note in validation.notes:
        yield line(note, Style.UNSURE)
    if validation.asked is not None:
        asked = validation.asked
        cost = f"{asked.queries} golden queries in {asked.seconds:.1f} s, {asked.read_bytes / 1e6:.1f} MB read for them"
        yield line(cost, Style.FAINT)
    told = f"{validation.recommendation.value}: {validation.because}"
    yield Line((("Recommendation: ", Style.STRONG), (told, WAYS[validation.recommendation])))


def part_line(part: Part) -> Line:
    """One answer."""
    style = Style.PLAIN if part.outcome is Outcome.PASS else STYLES[part.outcome]
    mark = "" if part.outcome is Outcome.PASS else f"{part.outcome.value} "
    return Line(((f"{part.node}  ", Style.FAINT), (f"{mark}{part.arithmetic}", style)), indent=8, hang=4)


def limit_told(limit: Limit) -> str:
    """The limit with its direction and its source."""
    return f"{'<' if limit.most else '>'} {figure(limit.value)}  {limit.what} ({limit.source})"


def golden_lines(golden: Golden) -> Iterator[Line]:
    """The golden queries of a baseline, in short."""
    recall = sum(each.recall for each in golden.queries) / max(len(golden.queries), 1)
    cost = f"{golden.read_bytes / 1e6:.1f} MB read in {golden.seconds:.1f} s"
    yield line(f"golden queries: {len(golden.queries)}, recall@10 {recall:.1%}; {cost}", Style.FAINT)
    for node, reason in golden.missing.items():
        yield line(f"no golden query of {node}: {reason}", Style.UNSURE)


def validation_data(validation: Validation, html: str = "") -> dict[str, Any]:
    """The same for JSON; numbers that are not finite are null."""
    return {
        "target": validation.target,
        "at": validation.at.isoformat(),
        "source": validation.source,
        "baseline_at": None if validation.baseline_at is None else validation.baseline_at.isoformat(),
        "nodes": list(validation.nodes),
        "seconds": round(validation.seconds, 1),
        "wanted_seconds": validation.wanted,
        "soak": validation.soak,
        "looks": validation.looks,
        "confidence": validation.confidence,
        "checks": [_checked(each) for each in validation.checks],
        "recommendation": validation.recommendation.value,
        "because": validation.because,
        "rule": [{"when": rule.when, "then": rule.then.value} for rule in RULES],
        "notes": list(validation.notes),
        "golden": None
        if validation.asked is None
        else {
            "queries": validation.asked.queries,
            "seconds": round(validation.asked.seconds, 3),
            "read_bytes": validation.asked.read_bytes,
        },
        "html": html or None,
    }


def _checked(checked: Checked) -> dict[str, Any]:
    kind = kind_of(checked)
    return {
        "name": checked.name,
        "title": kind.title,
        "outcome": checked.outcome.value,
        "hurts_users": kind.hurts,
        "limits": [
            {
                "value": each.value,
                "must_be": "under" if each.most else "over",
                "what": each.what,
                "source": each.source,
            }
            for each in kind.limits
        ],
        "parts": [_part(part) for part in checked.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    numbers = {name: getattr(part, name) for name in ("value", "low", "high", "limit", "baseline")}
    return {
        "node": part.node,
        "question": part.question,
        "outcome": part.outcome.value,
        "arithmetic": part.arithmetic,
        "unit": part.unit,
        **{name: number if number is not None and math.isfinite(number) else None for name, number in numbers.items()},
    }
