"""The proof of the alerts about this tool: above all, that a silent watch is one only while a rollout is under way."""

from collections.abc import Iterator

from runbook.engine.monitoring.ourselves import INTERVAL, SEEN, SOUND, oldest_backup
from runbook.engine.monitoring.promql import number, of_nodes, selector
from runbook.engine.monitoring.proofs.alerts import in_phase
from runbook.engine.monitoring.proofs.craft import Scene
from runbook.engine.monitoring.proofs.nodes import MINUTE, firing
from runbook.model.monitoring import OURSELVES, PLACE, Expected, Given, Proof, Told
from runbook.model.rollout import RolloutPlan

STEP = MINUTE
HOUR = 60 * MINUTE
STEPS = 5 * 60
VALIDATED = "engram_runbook_validated_timestamp_seconds"
_RUNS = "engram_runbook_runs_needing_a_person"


def own_proofs(plan: RolloutPlan) -> tuple[Proof, ...]:
    """`serve` that is not there, `serve` that tells nothing, and all that it can tell."""
    up = selector("up", {"job": OURSELVES, "instance": "us:8787"})
    gone = (
        Expected('count(ALERTS{alertname="RunbookServeDown",alertstate="firing"})', MINUTE, None),
        Expected('count(ALERTS{alertname="RunbookServeDown",alertstate="firing"})', 3 * MINUTE, 1.0),
    )
    mute = (Expected('count(ALERTS{alertname="RunbookServeTellsNothing",alertstate="firing"})', 6 * MINUTE, 1.0),)
    return (
        Proof("serve is not scraped at all", (), gone),
        Proof("serve does not answer", (Given(up, "0+0x10"),), gone),
        Proof("serve answers, and tells nothing", (Given(up, "1+0x10"),), mute),
        _watch(),
        _all(up, plan),
    )


def _scene(target: str) -> Scene:
    return Scene(target, STEP, 60)


def _watch() -> Proof:
    given: list[Given] = []
    for target, under_way, seen in (
        ("silent", 1, "60+0x60"),
        ("ahead", 1, "1000000+0x60"),
        ("fresh", 1, "0+60x60"),
        ("ended", 0, "60+0x60"),
        ("never", 1, ""),
    ):
        scene = _scene(target)
        phase = in_phase(scene, "canary")
        given += phase if under_way else [Given(selector("engram_runbook_rollout_under_way", _of(target)), "0+0x60")]
        if seen:
            given += [Given(selector(SEEN, _of(target)), seen), Given(selector(INTERVAL, _of(target)), "60+0x60")]
    # The last rollout was watched long ago; this one is under way from 19 min on, and watched from 20 min on.
    given += [
        Given(selector("engram_runbook_rollout_under_way", _of("begun")), "0+0x18 1+0x42"),
        Given(selector(SEEN, _of("begun")), "60+0x19 1200+60x40"),
        Given(selector(INTERVAL, _of("begun")), "60+0x60"),
    ]
    told = [
        *(firing("RolloutWatchSilent", "begun", each * MINUTE, yes=False) for each in (18, 19, 20, 21)),
        firing("RolloutWatchSilent", "silent", 4 * MINUTE, yes=False),
        *(firing("RolloutWatchSilent", each, 6 * MINUTE, yes=True) for each in ("silent", "ahead")),
        *(firing("RolloutWatchSilent", each, 30 * MINUTE, yes=False) for each in ("fresh", "ended", "never")),
        firing("RolloutWatchNeverSeen", "never", MINUTE, yes=False),
        firing("RolloutWatchNeverSeen", "never", 3 * MINUTE, yes=True),
        *(firing("RolloutWatchNeverSeen", each, 30 * MINUTE, yes=False) for each in ("silent", "fresh", "ended")),
    ]
    return Proof("A watch that is silent, only while a rollout is under way", tuple(given), tuple(told))


def _of(target: str, **more: str) -> dict[str, str]:
    return {"target": target, **more}


def _all(up: str, plan: RolloutPlan) -> Proof:
    given = [Given(up, f"1+0x{STEPS}"), Given(f'{SOUND}{{instance="us:8787"}}', f"1+0x{4 * 60} 0+0x{STEPS - 4 * 60}")]
    told = [
        Expected('count(ALERTS{alertname="RunbookServeDown"})', HOUR, None),
        Expected('count(ALERTS{alertname="RunbookServeTellsNothing"})', HOUR, None),
        Expected('count(ALERTS{alertname="RunbookJournalDamaged",alertstate="firing"})', 3 * HOUR, None),
        Expected('count(ALERTS{alertname="RunbookJournalDamaged",alertstate="firing"})', 5 * HOUR, 1.0),
    ]
    for more, expected in (
        *map(_pair, _counts()),
        *map(_pair, _backups(oldest_backup(plan).total_seconds())),
        *map(_pair, _messages()),
    ):
        given += more
        told += expected
    person = {"severity": "critical", "issue": OURSELVES, "target": "person", "instance": "us:8787"}
    said = {
        "summary": "2 runs on person need a person now",
        "description": "A step failed, and so did its undo.",
        "runbook": "runbook runs",
        "runbook_url": "reference/alerts.md#runneedsperson",
    }
    return Proof("What serve tells", tuple(given), tuple(told), (Told("RunNeedsPerson", MINUTE, person, said),))


_Row = tuple[str, str, list[Expected]]


def _pair(row: _Row) -> tuple[list[Given], list[Expected]]:
    series, values, expected = row
    return [Given(series, values)], expected


def _counts() -> Iterator[_Row]:
    yield selector(_RUNS, _of("person", instance="us:8787")), "2+0x300", []
    yield selector(_RUNS, _of("well")), "0+0x300", [firing("RunNeedsPerson", "well", HOUR, yes=False)]
    late = [firing("RunLeftOpen", "open", HOUR, yes=False), firing("RunLeftOpen", "open", 3 * HOUR, yes=True)]
    yield selector("engram_runbook_runs_open", _of("open")), "1+0x300", late
    yield selector("engram_runbook_runs_open", _of("well")), "0+0x300", []


def _backups(oldest: float) -> Iterator[_Row]:
    verified = "engram_runbook_backup_verified_timestamp_seconds"
    gone = [firing("BackupTooOld", "gone", 4 * HOUR, yes=False)]
    yield selector(verified, _of("gone", node="one")), f"{number(3600 - oldest)}+0x{STEPS}", gone
    yield of_nodes("up", (("target", "old"), ("node", "one"), ("instance", "old"))), f"1+0x{STEPS}", []
    old = [firing("BackupTooOld", "old", 2 * HOUR, yes=False), firing("BackupTooOld", "old", 4 * HOUR, yes=True)]
    yield selector(verified, _of("old", node="one")), f"{number(3600 - oldest)}+0x{STEPS}", old
    fresh = [firing("BackupTooOld", "fresh", 4 * HOUR, yes=False)]
    yield selector(verified, _of("fresh", node="one")), f"0+60x{STEPS}", fresh
    none = [firing("BackupMissing", "none", HOUR, yes=False), firing("BackupMissing", "none", 3 * HOUR, yes=True)]
    yield of_nodes("up", tuple((name, "none") for name in PLACE)), "1+0x300", none
    has = [firing("BackupMissing", "fresh", 3 * HOUR, yes=False)]
    yield of_nodes("up", (("target", "fresh"), ("node", "one"), ("instance", "fresh"))), "1+0x300", has


def _messages() -> Iterator[_Row]:
    notified, knocked = "engram_runbook_notifications_total", "engram_runbook_webhook_requests_total"
    ok, bad = {"outcome": "delivered"}, {"outcome": "given up"}
    fails = Expected('count(ALERTS{alertname="NotificationsFail",alertstate="firing",receiver="dead"})', HOUR, 1.0)
    well = Expected('count(ALERTS{alertname="NotificationsFail",alertstate="firing",receiver="well"})', HOUR, None)
    yield selector(notified, {"receiver": "dead", **bad}), "0+1x300", [fails]
    yield selector(notified, {"receiver": "well", **ok}), "0+1x300", [well]
    refused = Expected('count(ALERTS{alertname="WebhookRefuses",alertstate="firing"})', HOUR, 1.0)
    yield selector(knocked, {"outcome": "unknown sender"}), "0+1x300", [refused]
    yield selector(knocked, {"outcome": "accepted"}), "0+1x300", []
    told = [firing("ValidatorSaysRollBack", "validated", HOUR, yes=True)]
    yield selector(VALIDATED, _of("validated", recommendation="roll back")), "1000+0x300", told
    yield selector(VALIDATED, _of("validated", recommendation="proceed")), "100+0x300", []
    yield selector("engram_runbook_rollout_under_way", _of("validated")), "1+0x300", []
