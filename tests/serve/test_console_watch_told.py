"""Whether somebody watches, as the console says it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runbook.model.heartbeat import Heartbeat
from runbook.serve.console.standing import watch_data

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SIGN = Heartbeat(
    target="prod",
    rollout="r1",
    phase="canary",
    stage="canary",
    standing="running",
    share=0.1,
    every=timedelta(minutes=1),
    seen=NOW - timedelta(seconds=50),
    process=1,
    machine="bastion",
    looks=1,
    told="canary: triggers 0 YES",
    code=0,
)


def test_a_watch_that_has_ended_is_an_emergency_once_the_next_one_is_late() -> None:
    """A timer starts one for each look; while no rollout is under way none is missed."""
    ended = replace(SIGN, ended="looked once")
    late = NOW + timedelta(minutes=3)
    found = [
        (sign.ended != "", at == late, watch_data(sign, at, needed=True))
        for sign in (SIGN, ended)
        for at in (NOW, late)
    ]
    assert [(was, then, each["state"], each["tone"]) for was, then, each in found] == [
        (False, False, "heard of", "PASS"),
        (False, True, "silent", "FAIL"),
        (True, False, "ended", "UNKNOWN"),
        (True, True, "ended", "FAIL"),
    ]
    assert {watch_data(sign, late, needed=False)["tone"] for sign in (SIGN, ended)} == {"plain"}
