"""The objectives of Engram's rollout plan, from phase 3 on: how well they are kept, and what is left of the budget."""

from runbook.model.dashboard import Ask, Dashboard, Look, Panel, Row
from runbook.model.validation_limits import CONSOLIDATION_FLEET, ERRORS_FLEET, P99_SECONDS, P99_SHARE
from runbook.report.monitoring.dashboards.overview import NODE, TARGET

AVAILABILITY = 0.999
"""Engram's rollout plan, phases 3 to 5: above 99.9 % in 24 h."""
FULL = 0.80
"""Engram's rollout plan: memory under 80 % of the node."""
MONTH, DAY = "30d", "24h"
_SERIES = f'job="engram",{TARGET}'


def objectives() -> Dashboard:
    """One row for each objective."""
    return Dashboard(
        "engram-slo",
        "Engram: objectives",
        "Latency, errors, availability, consolidation, memory: the objectives of Engram's rollout plan.",
        (_latency(), _errors(), _rest()),
    )


def _rate(name: str, over: str) -> str:
    return f"sum by (target) (rate({name}[{over}]))"


def _latency() -> Row:
    buckets = f"sum by (le, target) (rate(engram_recall_duration_seconds_bucket{{{_SERIES}}}[$__rate_interval]))"
    limit = P99_SECONDS.value
    fast, every = (f'engram_recall_duration_seconds_bucket{{le="{le}",{_SERIES}}}' for le in (f"{limit:g}", "+Inf"))
    slow = {over: f"1 - {_rate(fast, over)} / ({_rate(every, over)} > 0)" for over in ("$__rate_interval", DAY)}
    return Row(
        f"Recall p99 under {limit * 1000:g} ms",
        (
            Panel("p99", (Ask(f"histogram_quantile(0.99, {buckets})", "{{target}}"),), "s", limit=limit),
            Panel(
                "Share of recalls that took longer",
                (Ask(slow["$__rate_interval"], "{{target}}"),),
                "percentunit",
                limit=P99_SHARE.value,
            ),
            Panel(
                "In 24 hours",
                (Ask(slow[DAY], "{{target}}"),),
                "percentunit",
                Look.NUMBER,
                limit=P99_SHARE.value,
            ),
        ),
    )


def _errors() -> Row:
    failed, all_ = (f"engram_recall_{name}total{{{_SERIES}}}" for name in ("errors_", ""))
    share = {over: f"{_rate(failed, over)} / ({_rate(all_, over)} > 0)" for over in ("$__rate_interval", DAY, MONTH)}
    limit = ERRORS_FLEET.value
    return Row(
        f"Errors under {limit:.1%}",
        (
            Panel("Share that fails", (Ask(share["$__rate_interval"], "{{target}}"),), "percentunit", limit=limit),
            Panel("In 24 hours", (Ask(share[DAY], "{{target}}"),), "percentunit", Look.NUMBER, limit=limit),
            Panel(
                "Left of the budget of 30 days",
                (Ask(f"1 - ({share[MONTH]}) / {limit:g}", "{{target}}"),),
                "percentunit",
                Look.NUMBER,
                limit=0,
                below=True,
            ),
        ),
    )


def _rest() -> Row:
    cycles = "engram_consolidation_runs_total"
    good, every = (f"{cycles}{{{more}{_SERIES}}}" for more in ('outcome="success",', ""))
    worked = f"{_rate(good, DAY)} / ({_rate(every, DAY)} > 0)"
    full = (
        f'sum by (target, node) (process_resident_memory_bytes{{job="engram",{NODE}}})'
        f' / (sum by (target, node) (engram_memory_limit_bytes{{job="engram",{NODE}}}) > 0)'
    )
    return Row(
        "Availability, consolidation, memory",
        (
            Panel(
                f"Availability in 24 hours: above {AVAILABILITY:.1%}",
                (Ask(f"avg by (target) (avg_over_time(up{{{_SERIES}}}[{DAY}]))", "{{target}}"),),
                "percentunit",
                Look.NUMBER,
                limit=AVAILABILITY,
                below=True,
            ),
            Panel(
                f"Consolidation in 24 hours: above {CONSOLIDATION_FLEET.value:.0%}",
                (Ask(worked, "{{target}}"),),
                "percentunit",
                Look.NUMBER,
                limit=CONSOLIDATION_FLEET.value,
                below=True,
            ),
            Panel(
                f"Memory: under {FULL:.0%} of the node",
                (Ask(full),),
                "percentunit",
                limit=FULL,
                about="Of nodes that have a limit.",
            ),
        ),
    )
