"""Alerts about this tool: a watch that is silent, serve, the journal, runs, backups, validations, notifications.

What they are asked of is exported by `runbook serve`.
"""

from collections.abc import Iterator
from datetime import timedelta

from runbook.engine.monitoring.promql import number, selector, span
from runbook.engine.monitoring.stage import ANY_UNDER_WAY, SAID
from runbook.engine.monitoring.symptoms import command, where
from runbook.model.monitoring import NODES, OURSELVES, AlertRule, Severity
from runbook.model.rollout import RolloutPlan

UP = selector("up", {"job": OURSELVES})
SEEN, INTERVAL = "engram_runbook_watch_seen_timestamp_seconds", "engram_runbook_watch_interval_seconds"
SOUND = "engram_runbook_journal_sound"
MISSED, SLACK = 3, timedelta(seconds=30)
DAY = timedelta(days=1)
QUARTER = "15m"
_AGE = "{{ $value | humanizeDuration }}"
PAGE = "reference/alerts.md"


def own_alerts(plan: RolloutPlan) -> tuple[AlertRule, ...]:
    """Every one."""
    return (*_watch(), *_serve(), *_journal(), *_backups(plan), *_validated(), *_messages())


def _rule(name: str, expr: str, severity: Severity, minutes: float, texts: tuple[str, str, str]) -> AlertRule:
    """`texts`: summary, description, command."""
    summary, description, say = texts
    page, lasting = f"{PAGE}#{name.lower()}", timedelta(minutes=minutes)
    return AlertRule(name, expr, severity, OURSELVES, summary, description, say, page, lasting)


def _watch() -> Iterator[AlertRule]:
    seen, interval = f"max by (target) ({SEEN})", f"max by (target) ({INTERVAL})"
    # A sign from the future is as old: the watch's clock was set back since, or is not that of Prometheus.
    late = f"abs(time() - {seen}) > {MISSED} * {interval} + {number(SLACK.total_seconds())}"
    yield _rule(
        "RolloutWatchSilent",
        f"({late})\nand on (target) {ANY_UNDER_WAY}",
        Severity.CRITICAL,
        1,  # a rollout that was just started has the last one's sign of life, until its own watch begins
        (
            f"The rollout's watch was last heard of {_AGE} ago: > {MISSED} x its interval + {SLACK.seconds} s",
            "Nobody asks the triggers, so nobody rolls back by itself. Start it again; it knows where it was.",
            command("runbook rollout watch"),
        ),
    )
    yield _rule(
        "RolloutWatchNeverSeen",
        f"max by (target) ({SAID}) == 1\nunless on (target) {SEEN}",
        Severity.CRITICAL,
        2,
        (
            "A rollout is under way, and its watch was never heard of",
            "Nobody asks the triggers, so nobody rolls back by itself.",
            command("runbook rollout watch"),
        ),
    )


def _serve() -> Iterator[AlertRule]:
    yield _rule(
        "RunbookServeDown",
        f"{UP} == 0\nor absent({UP})",
        Severity.CRITICAL,
        2,
        (
            "`runbook serve` does not answer Prometheus",
            "No alert reaches it, and alerts of a rollout, of its watch, or against a baseline, are mute.",
            "runbook doctor",
        ),
    )
    yield _rule(
        "RunbookServeTellsNothing",
        f"{UP} == 1\nunless on (instance) {SOUND}",
        Severity.CRITICAL,
        5,
        (
            "`runbook serve` answers, and does not tell what it knows",
            f"{SOUND} is missing, so whatever answers there is not it, or it cannot read its state.",
            "runbook doctor",
        ),
    )


def _journal() -> Iterator[AlertRule]:
    yield _rule(
        "RunbookJournalDamaged",
        f"{SOUND} == 0",
        Severity.CRITICAL,
        0,
        (
            "The journal is damaged",
            "What was done is no longer proven; commands that change something refuse. It names line and place.",
            "runbook audit verify",
        ),
    )
    yield _rule(
        "RunNeedsPerson",
        "engram_runbook_runs_needing_a_person > 0",
        Severity.CRITICAL,
        0,
        (
            "{{ $value }} runs on {{ $labels.target }} need a person now",
            "A step failed, and so did its undo.",
            "runbook runs",
        ),
    )
    yield _rule(
        "RunLeftOpen",
        "engram_runbook_runs_open > 0",
        Severity.WARNING,
        120,
        (
            "{{ $value }} runs on {{ $labels.target }} have been open for two hours",
            "Cut off, or waiting for an approval. Each can be resumed, or undone.",
            "runbook runs",
        ),
    )


def oldest_backup(plan: RolloutPlan) -> timedelta:
    """How old a backup may be: as the plan's stages ask it."""
    return min((phase.fresh.backup for phase in plan.phases if phase.fresh.backup is not None), default=DAY)


def _backups(plan: RolloutPlan) -> Iterator[AlertRule]:
    oldest = oldest_backup(plan)
    verified = "max by (target, node) (engram_runbook_backup_verified_timestamp_seconds)"
    scraped = f"max by (target, node) ({selector('up', {'job': NODES})})"
    yield _rule(
        "BackupTooOld",
        # The journal knows backups of nodes that are gone, and of sandboxes.
        f"time() - {verified} > {number(oldest.total_seconds())}\nand on (target, node) {scraped}",
        Severity.WARNING,
        120,
        (
            f"The last verified backup of {where()} is {_AGE} old: > {span(oldest)}",
            "A stage that treats anyone is not entered without one, and nothing newer can be brought back.",
            "runbook backup list",
        ),
    )
    yield _rule(
        "BackupMissing",
        f"{scraped}\nand on () ({SOUND} == 1)\nunless on (target, node) {verified}",
        Severity.WARNING,
        120,
        (
            f"No verified backup of {where()} is known",
            "There is nothing to bring back.",
            "runbook backup list",
        ),
    )


def _validated() -> Iterator[AlertRule]:
    told = "engram_runbook_validated_timestamp_seconds"
    newest = f"on (target) group_left () max by (target) ({told})"
    bad = selector(told, {"recommendation": "roll back"})
    yield _rule(
        "ValidatorSaysRollBack",
        f"{bad} == {newest}\nand on (target) {ANY_UNDER_WAY}",
        Severity.CRITICAL,
        0,
        (
            "The validator recommends to roll {{ $labels.target }} back",
            "Its last look found a check that failed.",
            command("runbook rollout abort"),
        ),
    )


def _messages() -> Iterator[AlertRule]:
    failing = f'sum by (receiver) (increase(engram_runbook_notifications_total{{outcome!="delivered"}}[{QUARTER}]))'
    yield _rule(
        "NotificationsFail",
        f"{failing} > 0",
        Severity.WARNING,
        5,
        (
            "Notifications to {{ $labels.receiver }} were given up, or left out",
            "It was dead for too long, or refuses them: people are not told what happens. The journal has it all.",
            "runbook notify status",
        ),
    )
    refused = f'increase(engram_runbook_webhook_requests_total{{outcome!="accepted"}}[{QUARTER}])'
    yield _rule(
        "WebhookRefuses",
        f"sum by (outcome) ({refused}) > 0",
        Severity.WARNING,
        5,
        (
            "The webhook refuses requests, or misses alerts: {{ $labels.outcome }}",
            "Alertmanager's token or payload is not what it takes, or was cut short; or somebody else knocks.",
            "runbook audit show",
        ),
    )
