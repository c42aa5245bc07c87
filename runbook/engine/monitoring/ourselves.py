"""Alerts about this tool: a watch that is silent, serve, the journal, runs, backups, validations, notifications.

What they are asked of is exported by `runbook serve`.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook.engine.monitoring.promql import number, selector, span
from runbook.engine.monitoring.stage import ANY_UNDER_WAY, REMEMBERED, SAID, last_told
from runbook.engine.monitoring.symptoms import command, where
from runbook.model.monitoring import NODES, OURSELVES, AlertRule, Severity
from runbook.model.rollout import RolloutPlan

UP = selector("up", {"job": OURSELVES})
SEEN, INTERVAL = "engram_runbook_watch_seen_timestamp_seconds", "engram_runbook_watch_interval_seconds"
SOUND, SILENT = "engram_runbook_journal_sound", "engram_runbook_watch_silent"
_WELL = f"({SOUND} == 1)"
"""Who tells so tells every run that is open, and of no other target whose runs are settled."""
VALIDATED = "engram_runbook_validated_timestamp_seconds"
MISSED, SLACK = 3, timedelta(seconds=30)
DAY = timedelta(days=1)
AGAIN = timedelta(minutes=2)
"""So long may `serve` take to be there again: it was started anew, or reads its journal."""
QUARTER = "15m"
_SEEN, _INTERVAL = f"max by (target) ({SEEN})", f"max by (target) ({INTERVAL})"
_LATE = f"abs(time() - {_SEEN}) > {MISSED} * {_INTERVAL} + {number(SLACK.total_seconds())}"
"""A sign from the future is as old: the watch's clock was set back since, or is not that of Prometheus."""
_AGE = "{{ $value | humanizeDuration }}"
PAGE = "reference/alerts.md"


def own_alerts(plans: Sequence[RolloutPlan]) -> tuple[AlertRule, ...]:
    """Every one."""
    return (*_watch(), *_silent(), *_serve(), *_journal(), *_backups(plans), *_validated(), *_messages())


def _rule(name: str, expr: str, severity: Severity, minutes: float, texts: tuple[str, str, str]) -> AlertRule:
    """`texts`: summary, description, command."""
    summary, description, say = texts
    page, lasting = f"{PAGE}#{name.lower()}", timedelta(minutes=minutes)
    return AlertRule(name, expr, severity, OURSELVES, summary, description, say, page, lasting)


def _watch() -> Iterator[AlertRule]:
    yield _rule(
        "RolloutWatchSilent",
        f"({_LATE})\nand on (target) {ANY_UNDER_WAY}",
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


def _silent() -> Iterator[AlertRule]:
    yield _rule(
        "RolloutWatchUnknown",
        f"{last_told(SAID)} == 1\nunless on (target) {SAID}",
        Severity.CRITICAL,
        AGAIN / timedelta(minutes=1),
        (
            "A rollout was under way on {{ $labels.target }}; `runbook serve` tells no more whether it is watched",
            f"For {span(REMEMBERED)} its alerts are asked in the phase of then. Where the watch runs, type this.",
            command("runbook rollout status"),
        ),
    )
    yield _rule(
        "RolloutHostSilent",
        # A watch that is gone says of no host that it answers again; it has an alert of its own.
        f"max by (target, host) ({SILENT})\nand on (target) {ANY_UNDER_WAY}\nunless on (target) ({_LATE})",
        Severity.WARNING,
        5,
        (
            "{{ $labels.host }} does not tell the rollout's watch on {{ $labels.target }} what it asks",
            "It is a node, or splits the traffic. As long as it does not tell, nothing goes on by itself.",
            command("runbook rollout status"),
        ),
    )


def _serve() -> Iterator[AlertRule]:
    yield _rule(
        "RunbookServeDown",
        # Where Prometheus was never told to scrape it, nobody runs it.
        f"{UP} == 0\nor absent({UP}) and on (job) last_over_time({UP}[{span(DAY)}])",
        Severity.CRITICAL,
        AGAIN / timedelta(minutes=1),
        (
            "`runbook serve` does not answer Prometheus",
            f"No alert reaches it. For {span(REMEMBERED)} what it last told counts, not whether rollouts are watched.",
            "runbook doctor",
        ),
    )
    yield _rule(
        "RunbookServeNeverSeen",
        f"absent(last_over_time({UP}[{span(DAY)}]))",
        Severity.INFO,
        AGAIN / timedelta(minutes=1),
        (
            "Prometheus does not scrape `runbook serve`, and did not for a day",
            "Where nobody runs it, this is how it is: alerts of a rollout, and against a baseline, are mute.",
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
        f"{last_told('engram_runbook_runs_needing_a_person', but=_WELL)} > 0",
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
        f"{last_told('engram_runbook_runs_open', but=_WELL)} > 0",
        Severity.WARNING,
        120,
        (
            "{{ $value }} runs on {{ $labels.target }} have been open for two hours",
            "Cut off, or waiting for an approval. Each can be resumed, or undone.",
            "runbook runs",
        ),
    )


def oldest_backup(plans: Sequence[RolloutPlan]) -> timedelta:
    """How old a backup may be: as the plans' stages ask it."""
    asked = [phase.fresh.backup for plan in plans for phase in plan.phases]
    return min((each for each in asked if each is not None), default=DAY)


def _backups(plans: Sequence[RolloutPlan]) -> Iterator[AlertRule]:
    oldest = oldest_backup(plans)
    verified = last_told("engram_runbook_backup_verified_timestamp_seconds", "target, node")
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
    bad = selector(VALIDATED, {"recommendation": "roll back"})
    last = f"max by (target) (last_over_time({{}}[{span(REMEMBERED)}]))"
    yield _rule(
        "ValidatorSaysRollBack",
        # The newest is the one that counts: who tells, tells that one alone; of those that are remembered it is found.
        f"(\n  max by (target) ({bad}) == max by (target) ({VALIDATED})\n"
        f"  or ({last.format(bad)} == {last.format(VALIDATED)} unless on (target) {VALIDATED})\n)\n"
        f"and on (target) {last_told(SAID)} == 1",
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
