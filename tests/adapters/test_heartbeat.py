"""The watch's sign of life: kept whole, told apart from one that ended, and no other file is taken for one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.errors import DamagedError, StorageError
from runbook.model.heartbeat import Heartbeat

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
SIGN = Heartbeat(
    target="prod",
    rollout="20261127T020000-4f1a",
    phase="canary",
    stage="canary 5 %",
    standing="running",
    share=0.05,
    every=timedelta(seconds=15),
    seen=NOW,
    process=4711,
    machine="bastion",
    looks=3,
    told="canary 5 %: triggers 5 NO, 0 UNKNOWN",
    code=0,
    silent=("edge", "node-2"),
)


def test_the_last_sign_is_read_as_it_was_left(tmp_path: Path) -> None:
    """Every field, the newest one only, each target its own; nobody who watched is None."""
    kept = FileHeartbeats(tmp_path)
    assert kept.last("prod") is None
    assert list(kept.targets()) == []
    kept.beat(SIGN)
    kept.beat(replace(SIGN, looks=4, ended="interrupted"))
    kept.beat(replace(SIGN, target="stage"))
    assert kept.last("prod") == replace(SIGN, looks=4, ended="interrupted")
    assert list(kept.targets()) == ["prod", "stage"]


def test_words_of_any_length_and_kind_are_kept(tmp_path: Path) -> None:
    """A silent node's words may be long, and half a surrogate pair: the sign is left all the same, bounded."""
    kept = FileHeartbeats(tmp_path)
    kept.beat(replace(SIGN, told="\ud800" + "x" * 100_000, silent=("\ud800" * 1000,) * 1000))
    found = kept.last("prod")
    assert found is not None
    assert found.told == "?" + "x" * 1999
    assert found.silent == ("?" * 128,) * 200


def test_a_sign_of_an_older_watch_names_nobody_who_is_silent(tmp_path: Path) -> None:
    """It is read all the same."""
    kept = FileHeartbeats(tmp_path)
    kept.beat(SIGN)
    path = tmp_path / "watch" / "prod.json"
    document = json.loads(path.read_text())
    del document["silent"]
    path.write_text(json.dumps(document))
    assert kept.last("prod") == replace(SIGN, silent=())


def test_overdue_is_what_nobody_ended_and_grew_old() -> None:
    """More than three looks without a sign; a watch that ended in order is not missing, nor one from the future."""
    assert not SIGN.overdue(NOW + timedelta(seconds=45))
    assert SIGN.overdue(NOW + timedelta(seconds=46))
    assert not replace(SIGN, ended="interrupted").overdue(NOW + timedelta(hours=1))
    assert not SIGN.overdue(NOW - timedelta(seconds=30))
    assert SIGN.overdue(NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line 1"),
        ("[]", "no sign of life"),
        ('{"version": 2, "kind": "watch"}', "no sign of life"),
        ('{"version": 1, "kind": "watch"}', "target: it is missing"),
    ],
)
def test_what_is_no_sign_is_damage(tmp_path: Path, text: str, told: str) -> None:
    """The file is named, and what is wrong with it."""
    kept = FileHeartbeats(tmp_path)
    kept.beat(SIGN)
    (tmp_path / "watch" / "prod.json").write_text(text)
    with pytest.raises(DamagedError, match=told):
        kept.last("prod")


def test_a_value_of_another_type_is_damage(tmp_path: Path) -> None:
    """A moment that is none, a text that is a number, the sign of another target."""
    kept = FileHeartbeats(tmp_path)
    path = tmp_path / "watch" / "prod.json"
    kept.beat(SIGN)
    good = path.read_text()
    for old, new in (
        ("2026-11-27T", "2026-17-27T"),
        ('"bastion"', "7"),
        ('"prod"', '"stage"'),
        ("4711", '"4711"'),
        ('"edge"', "7"),
    ):
        path.write_text(good.replace(old, new))
        with pytest.raises(DamagedError):
            kept.last("prod")


def test_a_disk_that_refuses_keeps_the_last_sign(tmp_path: Path) -> None:
    """What stands in the folder's place is an error of the storage."""
    (tmp_path / "watch").write_text("in the way")
    with pytest.raises(StorageError):
        FileHeartbeats(tmp_path).beat(SIGN)
