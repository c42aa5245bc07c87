"""The proof of the alerts about this tool: above all, that a silent watch is one only while a rollout is under way."""

from collections.abc import Iterator, Sequence

from runbook.engine.monitoring.ourselves import INTERVAL, SEEN, SILENT, SOUND, VALIDATED, oldest_backup
from runbook.engine.monitoring.promql import number, of_nodes, selector
from runbook.engine.monitoring.proofs.alerts import in_phase
from runbook.engine.monitoring.proofs.craft import Scene
from runbook.engine.monitoring.proofs.nodes import MINUTE, firing
from runbook.engine.monitoring.stage import SAID
from runbook.model.monitoring import OURSELVES, PLACE, Expected, Given, Proof, Told
from runbook.model.rollout import RolloutPlan

STEP = MINUTE
HOUR = 60 * MINUTE
LATE = 2 * HOUR + 10 * MINUTE
"""What has to last for two hours has, from its fifth minute on."""
STEPS = 130
_RUNS = "engram_runbook_runs_needing_a_person"


def own_proofs(plans: Sequence[RolloutPlan]) -> tuple[Proof, ...]:
    """`serve` that is not there, `serve` that tells nothing, and all that it can tell."""
    up = selector("up", {"job": OURSELVES, "instance": "us:8787"})
    never, down, mute = "RunbookServeNeverSeen", "RunbookServeDown", "RunbookServeTellsNothing"
    return (
        Proof("Nobody runs serve", (), (*_begins(never, 1), firing(down, "", 10 * MINUTE, yes=False))),
        Proof("serve does not answer", (Given(up, "0+0x10"),), tuple(_begins(down, 1))),
        Proof("serve answers, and tells nothing", (Given(up, "1+0x10"),), tuple(_begins(mute, 4))),
        _gone(up),
        _watch(),
        _all(up, plans),
    )


def _begins(alert: str, minute: int) -> Iterator[Expected]:
    """It fires two minutes later, and not yet then."""
    yield firing(alert, "", minute * MINUTE, yes=False)
    yield firing(alert, "", (minute + 2) * MINUTE, yes=True)


def _gone(up: str) -> Proof:
    """What it told last counts; whether anybody watches is not known, and is said. What was over stays so."""
    given = (
        Given(up, "1+0x9 stale"),
        Given(_under_way("left"), "1+0x9 stale"),
        Given(_under_way("over"), "1+0x5 0+0x3 stale"),
        Given(_under_way("back"), "1+0x9 stale 1+0x3 0+0x30"),
        Given(selector(SEEN, _of("left")), "0+60x9 stale"),
        Given(selector(INTERVAL, _of("left")), "60+0x9 stale"),
        Given(selector(_RUNS, _of("left")), "2+0x9 stale"),
        Given(selector(VALIDATED, _of("left", recommendation="roll back")), "500+0x9 stale"),
    )
    told = (
        *_begins("RunbookServeDown", 11),
        firing("RunbookServeNeverSeen", "", 30 * MINUTE, yes=False),
        *(firing("RolloutWatchUnknown", "left", each * MINUTE, yes=False) for each in (9, 11)),
        *(firing("RolloutWatchUnknown", "left", each * MINUTE, yes=True) for each in (12, 30)),
        *(firing("RolloutWatchUnknown", each, 30 * MINUTE, yes=False) for each in ("over", "back")),
        *(firing(each, "left", 30 * MINUTE, yes=True) for each in ("RunNeedsPerson", "ValidatorSaysRollBack")),
        *(firing(each, "left", 30 * MINUTE, yes=False) for each in ("RolloutWatchSilent", "RolloutWatchNeverSeen")),
    )
    return Proof("serve is gone: what it told last counts", given, told)


def _under_way(target: str) -> str:
    return selector(SAID, _of(target))


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
        phase = in_phase(scene, "any", "canary")
        given += phase if under_way else [Given(_under_way(target), "0+0x60")]
        if seen:
            given += [Given(selector(SEEN, _of(target)), seen), Given(selector(INTERVAL, _of(target)), "60+0x60")]
    # The last rollout was watched long ago; this one is under way from 19 min on, and watched from 20 min on.
    given += [
        Given(_under_way("begun"), "0+0x18 1+0x42"),
        Given(selector(SEEN, _of("begun")), "60+0x19 1200+60x40"),
        Given(selector(INTERVAL, _of("begun")), "60+0x60"),
        *(Given(selector(SILENT, _of(each, host="edge")), "1+0x60") for each in ("fresh", "silent", "ended")),
    ]
    edge = (("host", "edge"),)
    told = [
        *(firing("RolloutWatchSilent", "begun", each * MINUTE, yes=False) for each in (18, 19, 20, 21)),
        firing("RolloutWatchSilent", "silent", 4 * MINUTE, yes=False),
        *(firing("RolloutWatchSilent", each, 6 * MINUTE, yes=True) for each in ("silent", "ahead")),
        *(firing("RolloutWatchSilent", each, 30 * MINUTE, yes=False) for each in ("fresh", "ended", "never")),
        firing("RolloutWatchNeverSeen", "never", MINUTE, yes=False),
        firing("RolloutWatchNeverSeen", "never", 3 * MINUTE, yes=True),
        *(firing("RolloutWatchNeverSeen", each, 30 * MINUTE, yes=False) for each in ("silent", "fresh", "ended")),
    ]
    told += [
        firing("RolloutHostSilent", "fresh", 4 * MINUTE, yes=False, more=edge),
        firing("RolloutHostSilent", "fresh", 6 * MINUTE, yes=True, more=edge),
        *(firing("RolloutHostSilent", each, 30 * MINUTE, yes=False, more=edge) for each in ("silent", "ended")),
    ]
    return Proof("A watch that is silent, only while a rollout is under way", tuple(given), tuple(told))


def _of(target: str, **more: str) -> dict[str, str]:
    return {"target": target, **more}


def _all(up: str, plans: Sequence[RolloutPlan]) -> Proof:
    given = [Given(up, f"1+0x{STEPS}"), Given(f'{SOUND}{{instance="us:8787"}}', f"1+0x{STEPS - 5} 0+0x4")]
    told = [
        Expected('count(ALERTS{alertname="RunbookServeDown"})', HOUR, None),
        Expected('count(ALERTS{alertname="RunbookServeTellsNothing"})', HOUR, None),
        Expected('count(ALERTS{alertname="RunbookJournalDamaged",alertstate="firing"})', HOUR, None),
        Expected('count(ALERTS{alertname="RunbookJournalDamaged",alertstate="firing"})', LATE, 1.0),
    ]
    for more, expected in (
        *map(_pair, _counts()),
        *map(_pair, _backups(oldest_backup(plans).total_seconds())),
        *map(_pair, _messages()),
    ):
        given += more
        told += expected
    person = {"severity": "critical", "issue": OURSELVES, "target": "person"}
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
    yield selector(_RUNS, _of("person")), f"2+0x{STEPS}", []
    yield selector(_RUNS, _of("well")), f"0+0x{STEPS}", [firing("RunNeedsPerson", "well", HOUR, yes=False)]
    late = [firing("RunLeftOpen", "open", HOUR, yes=False), firing("RunLeftOpen", "open", LATE, yes=True)]
    yield selector("engram_runbook_runs_open", _of("open")), f"1+0x{STEPS}", late
    yield selector("engram_runbook_runs_open", _of("well")), f"0+0x{STEPS}", []
    # A target that the configuration does not name is told of as long as a run of it is open.
    settled = _of("settled", instance="us:8787")
    done = [firing("RunNeedsPerson", "settled", at * MINUTE, yes=yes) for at, yes in ((5, True), (7, False))]
    yield selector(_RUNS, settled), "_x2 2+0x3 stale", done
    yield (
        selector("engram_runbook_runs_open", settled),
        "1+0x5 stale",
        [firing("RunLeftOpen", "settled", LATE, yes=False)],
    )


def _backups(oldest: float) -> Iterator[_Row]:
    verified = "engram_runbook_backup_verified_timestamp_seconds"
    gone = [firing("BackupTooOld", "gone", LATE, yes=False)]
    yield selector(verified, _of("gone", node="one")), f"{number(300 - oldest)}+0x{STEPS}", gone
    yield of_nodes("up", (("target", "old"), ("node", "one"), ("instance", "old"))), f"1+0x{STEPS}", []
    old = [firing("BackupTooOld", "old", 2 * HOUR, yes=False), firing("BackupTooOld", "old", LATE, yes=True)]
    yield selector(verified, _of("old", node="one")), f"{number(300 - oldest)}+0x{STEPS}", old
    fresh = [firing("BackupTooOld", "fresh", LATE, yes=False)]
    yield selector(verified, _of("fresh", node="one")), f"0+60x{STEPS}", fresh
    none = [firing("BackupMissing", "none", HOUR, yes=False), firing("BackupMissing", "none", 2 * HOUR, yes=True)]
    yield of_nodes("up", tuple((name, "none") for name in PLACE)), f"1+0x{STEPS}", none
    has = [firing("BackupMissing", "fresh", LATE, yes=False)]
    yield of_nodes("up", (("target", "fresh"), ("node", "one"), ("instance", "fresh"))), f"1+0x{STEPS}", has


def _messages() -> Iterator[_Row]:
    notified, knocked = "engram_runbook_notifications_total", "engram_runbook_webhook_requests_total"
    ok, bad = {"outcome": "delivered"}, {"outcome": "given up"}
    fails = Expected('count(ALERTS{alertname="NotificationsFail",alertstate="firing",receiver="dead"})', HOUR, 1.0)
    well = Expected('count(ALERTS{alertname="NotificationsFail",alertstate="firing",receiver="well"})', HOUR, None)
    yield selector(notified, {"receiver": "dead", **bad}), f"0+1x{STEPS}", [fails]
    yield selector(notified, {"receiver": "well", **ok}), f"0+1x{STEPS}", [well]
    refused = Expected('count(ALERTS{alertname="WebhookRefuses",alertstate="firing"})', HOUR, 1.0)
    yield selector(knocked, {"outcome": "unknown sender"}), f"0+1x{STEPS}", [refused]
    yield selector(knocked, {"outcome": "accepted"}), f"0+1x{STEPS}", []
    told = [firing("ValidatorSaysRollBack", "validated", HOUR, yes=True)]
    yield selector(VALIDATED, _of("validated", recommendation="roll back")), f"1000+0x{STEPS}", told
    yield selector(VALIDATED, _of("validated", recommendation="proceed")), f"100+0x{STEPS}", []
    yield _under_way("validated"), f"1+0x{STEPS}", []
    # The clock was set back in between: what is told now is the newest all the same.
    better = [firing("ValidatorSaysRollBack", "better", at * MINUTE, yes=yes) for at, yes in ((5, True), (7, False))]
    yield selector(VALIDATED, _of("better", recommendation="roll back")), "9000+0x5 stale", better
    yield selector(VALIDATED, _of("better", recommendation="proceed")), f"_x6 100+0x{STEPS - 6}", []
    yield _under_way("better"), f"1+0x{STEPS}", []
