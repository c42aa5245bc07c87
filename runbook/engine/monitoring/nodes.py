"""Alerts of the nodes themselves: down, started again, not scraped, silent on a metric. No data is no health."""

from collections.abc import Iterator
from datetime import timedelta

from runbook.engine.monitoring.promql import BY_PLACE, of_nodes, quoted
from runbook.engine.monitoring.questions import BY_ADDRESS
from runbook.engine.monitoring.symptoms import command, where
from runbook.model.contract import METRICS, Exposed
from runbook.model.monitoring import NODES, AlertRule, Severity

NODE = "node"
UP = of_nodes("up")
START = "process_start_time_seconds"
QUARTER, MOST_RESTARTS = "15m", 2
PAGE = "reference/alerts.md"


def node_alerts() -> tuple[AlertRule, ...]:
    """Every one."""
    return (*_reach(), *_restarts(), *_scraping(), *map(_silent_on, _asked()))


def _rule(name: str, expr: str, severity: Severity, minutes: float, texts: tuple[str, str, str]) -> AlertRule:
    """`texts`: summary, description, command."""
    summary, description, say = texts
    page, lasting = f"{PAGE}#{name.lower()}", timedelta(minutes=minutes)
    return AlertRule(name, expr, severity, NODE, summary, description, command(say), page, lasting)


def _reach() -> Iterator[AlertRule]:
    yield _rule(
        "NodeDown",
        f"{UP} == 0",
        Severity.CRITICAL,
        1,
        (
            f"{where()} does not answer Prometheus",
            "It cannot be scraped: its other alerts are blind until it is.",
            "runbook nodes",
        ),
    )
    yield _rule(
        "NoNodeScraped",
        f"absent({UP})",
        Severity.CRITICAL,
        1,
        (
            "Prometheus scrapes no node at all",
            f"There is no series {UP}: the scrape configuration, or its service discovery, has lost every node.",
            "runbook nodes",
        ),
    )


def _restarts() -> Iterator[AlertRule]:
    changes = f"max {BY_PLACE} (changes({of_nodes(START)}[{QUARTER}]))"
    yield _rule(
        "NodeRestarted",
        f"{changes} > 0",
        Severity.WARNING,
        0,
        (
            f"{where()} was started again: {{{{ $value }}}} > 0 times in {QUARTER}",
            "Its process is another one than before. A deployment does that; so does a crash.",
            "runbook nodes",
        ),
    )
    yield _rule(
        "NodeKeepsRestarting",
        f"{changes} > {MOST_RESTARTS}",
        Severity.CRITICAL,
        0,
        (
            f"{where()} starts again and again: {{{{ $value }}}} > {MOST_RESTARTS} times in {QUARTER}",
            "It does not stay up: crashes, or somebody ends it.",
            "runbook diagnose",
        ),
    )


def _scraping() -> Iterator[AlertRule]:
    yield _rule(
        "NodeWithoutTarget",
        f'up{{job={quoted(NODES)},target=""}}',
        Severity.WARNING,
        5,
        (
            "{{ $labels.instance }} is scraped without a label target",
            "No alert of it can say which fleet it is of, and no rollout's trigger is asked of it.",
            "runbook doctor",
        ),
    )
    yield _rule(
        "NodeNotScraped",
        f"max {BY_PLACE} (\n  {BY_ADDRESS}\n)\nunless on (target, instance) {UP}",
        Severity.WARNING,
        5,
        (
            f"{where()} has a baseline, and Prometheus does not scrape it",
            "A node that was well is missing from the scrape configuration, or stands there under another address.",
            "runbook doctor",
        ),
    )


def _asked() -> tuple[Exposed, ...]:
    return tuple(metric for metric in METRICS.values() if metric.always)


def _silent_on(metric: Exposed) -> AlertRule:
    name = metric.series[-1]
    return AlertRule(
        "NodeSilentOn",
        f"{UP} == 1\nunless on (target, instance) {name}",
        Severity.WARNING,
        NODE,
        f"{where()} answers, and does not tell {metric.name}",
        f"What is made of it ({metric.used_by}) is not known, which is no sign of health.",
        command("runbook check"),
        f"{PAGE}#nodesilenton",
        timedelta(minutes=5),
        (("metric", metric.name),),
    )
