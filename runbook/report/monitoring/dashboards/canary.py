"""Treatment against control, on all nodes together: what a person looks at beside the judge's verdict."""

from collections.abc import Sequence

from runbook.engine.monitoring.tripwire import every_tripwire
from runbook.model.dashboard import Ask, Dashboard, Panel, Row
from runbook.model.rollout import RolloutPlan, Tripwire
from runbook.report.monitoring.dashboards.overview import TARGET, standing

_SERIES = f'job="engram",{TARGET}'
_RANGE = "[$__rate_interval]"
_GROUP = "{{group}}"


def canary(plans: Sequence[RolloutPlan]) -> Dashboard:
    """With the limits of the first tripwire of the plans."""
    wire = next(iter(every_tripwire(plans)), None)
    return Dashboard(
        "engram-canary",
        "Engram: canary against control",
        "What both groups get. The verdict is the judge's (`runbook abtest report`): it compares spaces, not recalls.",
        (_latency(wire), _errors(wire), _quality(), Row("Stage", standing("Where the rollout is"))),
    )


def _latency(wire: Tripwire | None) -> Row:
    buckets = f"sum by (le, group) (rate(engram_recall_duration_seconds_bucket{{{_SERIES}}}{_RANGE}))"
    mean = "sum by (group) (rate(engram_recall_duration_seconds_{end}{{{series}}}{range}))"
    total, count = (mean.format(end=end, series=_SERIES, range=_RANGE) for end in ("sum", "count"))
    treated, control = (f'engram:tripwire:p99{{group="{group}",{TARGET}}}' for group in ("treatment", "control"))
    return Row(
        "Latency",
        (
            *(
                Panel(f"p{q * 100:g}", (Ask(f"histogram_quantile({q:g}, {buckets})", _GROUP),), "s")
                for q in (0.5, 0.95, 0.99)
            ),
            Panel("Mean", (Ask(f"{total} / ({count} > 0)", _GROUP),), "s"),
            Panel(
                "Tripwire: treatment's p99 / control's",
                (Ask(f"{treated} / on (target) ({control} > 0)", "{{target}}"),),
                limit=None if wire is None else wire.latency_ratio,
                about="The rollout's watch takes it back above the line.",
                ours=True,
            ),
        ),
    )


def _errors(wire: Tripwire | None) -> Row:
    errors, recalls = (
        f"sum by (group) (rate(engram_recall_{name}total{{{_SERIES}}}{_RANGE}))" for name in ("errors_", "")
    )
    return Row(
        "Traffic and errors",
        (
            Panel("Recalls", (Ask(recalls, _GROUP),), "reqps"),
            Panel("Share that fails", (Ask(f"{errors} / ({recalls} > 0)", _GROUP),), "percentunit"),
            Panel(
                "Tripwire: share of treated recalls that fails",
                (
                    Ask(f"engram:tripwire:errors{{{TARGET}}}", "{{target}}"),
                    Ask(f"engram:tripwire:errors_low{{{TARGET}}}", "{{target}}, for certain"),
                ),
                "percentunit",
                limit=None if wire is None else wire.errors,
                about="The rollout's watch takes it back where what is certain is above the line.",
                ours=True,
            ),
        ),
    )


def _quality() -> Row:
    mean = "sum by (group) (rate(engram_recall_confidence_{end}{{{series}}}{range}))"
    total, count = (mean.format(end=end, series=_SERIES, range=_RANGE) for end in ("sum", "count"))
    share = "sum(rate(engram_recall_semantic_share_{end}{{{series}}}{range}))"
    part, whole = (share.format(end=end, series=_SERIES, range=_RANGE) for end in ("sum", "count"))
    fan = f"sum by (le) (rate(engram_concept_fan_out_bucket{{{_SERIES}}}{_RANGE}))"
    return Row(
        "Quality",
        (
            Panel("Mean confidence", (Ask(f"{total} / ({count} > 0)", _GROUP),), "percentunit"),
            Panel(
                "Share of results that came from concepts", (Ask(f"{part} / ({whole} > 0)", "share"),), "percentunit"
            ),
            Panel("Fan-out, p95", (Ask(f"histogram_quantile(0.95, {fan})", "p95"),)),
        ),
    )
