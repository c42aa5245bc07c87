"""Baselines as files: whatever a file holds, it is loaded right or refused with its place."""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runbook.adapters.store import FileStore
from runbook.errors import DamagedError, NotSupportedError, StorageError, UsageError
from runbook.material import schema
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.settings import defaults

BASELINE = Baseline(
    "sandbox",
    datetime(2025, 3, 1, tzinfo=UTC),
    10.0,
    {"node-1": NodeBaseline({"last(engram_concepts)": 12.0}, defaults())},
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The file of a saved baseline."""
    return Path(FileStore(tmp_path).save_baseline(BASELINE))


def changed(path: Path, *keys: str, to: Any) -> None:
    """Put another value at that place of the document; an ellipsis takes the member out."""
    document = orjson.loads(path.read_bytes())
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    if to is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = to
    path.write_bytes(orjson.dumps(document))


def test_it_is_kept_where_it_says_and_fits_the_schema(saved: Path, tmp_path: Path) -> None:
    """For the owner only."""
    assert saved == tmp_path / "baselines" / "sandbox.json"
    assert saved.stat().st_mode & 0o777 == 0o600
    Draft202012Validator.check_schema(schema("baseline.v1"))
    Draft202012Validator(schema("baseline.v1")).validate(orjson.loads(saved.read_bytes()))


@pytest.mark.parametrize(
    ("keys", "to", "place"),
    [
        (("nodes", "node-1", "quantities", "last(engram_concepts)"), "12", "last(engram_concepts)"),
        (("nodes", "node-1", "quantities", "last(engram_concepts)"), True, "last(engram_concepts)"),
        (("nodes", "node-1", "quantities", "last(engram_concepts)"), None, "last(engram_concepts)"),
        (("nodes", "node-1", "settings", "dual_memory.enabled"), None, "dual_memory.enabled"),
        (("nodes", "node-1", "settings", "dual_memory.treatment_spaces"), [1], "treatment_spaces"),
        (("nodes", "node-1", "more"), 1, "nodes['node-1']"),
        (("nodes", "node-1", "settings"), ..., "nodes['node-1']"),
        (("window_seconds",), -1, "window_seconds"),
        (("captured_at",), "yesterday", "captured_at"),
        (("captured_at",), "2025-13-01T00:00:00Z", "captured_at"),
        (("captured_at",), "2025-03-01T00:00:00", "captured_at"),
        (("kind",), "report", "kind"),
        (("version",), ..., "version"),
        (("version",), "1", "version"),
        (("target",), "production", "target"),
        (("extra",), 1, "extra"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    saved: Path, tmp_path: Path, keys: tuple[str, ...], to: Any, place: str
) -> None:
    """Exit code 12, with the file and the path within it."""
    changed(saved, *keys, to=to)
    with pytest.raises(DamagedError) as caught:
        FileStore(tmp_path).load_baseline("sandbox")
    assert str(saved) in caught.value.message
    assert place in caught.value.message
    assert "baseline capture" in caught.value.hint


@pytest.mark.parametrize("version", [0, 2, 1000])
def test_another_version_is_not_supported(saved: Path, tmp_path: Path, version: int) -> None:
    """Exit code 17, and not called damaged."""
    changed(saved, "version", to=version)
    with pytest.raises(NotSupportedError, match=str(version)):
        FileStore(tmp_path).load_baseline("sandbox")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"NaN", b"{}", b"[" * 2000])
def test_garbage_is_refused(saved: Path, tmp_path: Path, data: bytes) -> None:
    """Whatever is in the file."""
    saved.write_bytes(data)
    with pytest.raises(DamagedError):
        FileStore(tmp_path).load_baseline("sandbox")


@given(st.data())
def test_a_mutilated_baseline_loads_or_is_refused_and_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut anywhere, or one byte changed."""
    folder = tmp_path_factory.getbasetemp() / "mutilated"
    path = Path(FileStore(folder).save_baseline(BASELINE))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(
        whole[:place] + data.draw(st.sampled_from([b"", b"\x00", b"9", b'"', b"\xff"])) + whole[place + 1 :]
    )
    with suppress(DamagedError, NotSupportedError):
        FileStore(folder).load_baseline("sandbox")


def test_a_baseline_with_no_number_in_it_is_not_kept(tmp_path: Path) -> None:
    """NaN would come back as nothing: it is refused, and the earlier baseline stays."""
    store = FileStore(tmp_path)
    store.save_baseline(BASELINE)
    bad = Baseline("sandbox", BASELINE.captured_at, 10.0, {"node-1": NodeBaseline({"rate": float("nan")}, {})})
    with pytest.raises(DamagedError, match="rate"):
        store.save_baseline(bad)
    assert store.load_baseline("sandbox") == BASELINE


@pytest.mark.parametrize("target", ["../journal", "", "a/b", ".hidden"])
def test_a_target_cannot_leave_the_folder(tmp_path: Path, target: str) -> None:
    """Neither by loading nor by saving."""
    with pytest.raises(UsageError):
        FileStore(tmp_path).load_baseline(target)
    with pytest.raises(UsageError):
        FileStore(tmp_path).save_baseline(Baseline(target, BASELINE.captured_at, 10.0, {}))


def test_a_folder_in_its_place_is_a_refusal_of_the_disk(tmp_path: Path) -> None:
    """Exit code 16."""
    (tmp_path / "baselines" / "sandbox.json").mkdir(parents=True)
    with pytest.raises(StorageError):
        FileStore(tmp_path).load_baseline("sandbox")
    with pytest.raises(StorageError):
        FileStore(tmp_path).save_baseline(BASELINE)


def test_a_setting_of_the_wrong_type_is_damage_with_the_file_named(tmp_path: Path) -> None:
    """A baseline that was edited by hand is not found out in the middle of a plan."""
    store = FileStore(tmp_path)
    path = Path(store.save_baseline(BASELINE))
    path.write_bytes(path.read_bytes().replace(b"0.65", b'"x"'))
    with pytest.raises(DamagedError, match=r"fleet.*coherence_threshold|coherence_threshold"):
        store.load_baseline(BASELINE.target)


def test_a_document_of_a_run_is_kept_for_the_owner_only_with_the_digest_of_its_bytes(tmp_path: Path) -> None:
    """`runs/<run>/<name>.json`, whole or not at all."""
    document = {"resident_bytes": 5, "components": {"café": {"bytes": 1.5}}}
    kept = FileStore(tmp_path / "state").keep("20261122T210000-aaaa", "collect_heap-node-1-1", document)
    path = Path(kept.path)
    assert path == tmp_path / "state" / "runs" / "20261122T210000-aaaa" / "collect_heap-node-1-1.json"
    assert json.loads(path.read_bytes()) == document
    assert kept.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing half-written is left"


def test_a_document_that_is_kept_again_replaces_the_first(tmp_path: Path) -> None:
    """The digest is that of what is there."""
    store = FileStore(tmp_path)
    first, second = (store.keep("run-1", "heap", {"n": n}) for n in (1, 2))
    assert first.path == second.path
    assert first.sha256 != second.sha256
    assert json.loads(Path(second.path).read_bytes()) == {"n": 2}


@pytest.mark.parametrize("odd", [{"n": 2**70}, {"text": "\ud800"}, {"n": [None, True, {}]}])
def test_whatever_a_host_told_is_kept(odd: dict[str, Any], tmp_path: Path) -> None:
    """Numbers and texts that stricter writers refuse."""
    assert json.loads(Path(FileStore(tmp_path).keep("run-1", "heap", odd).path).read_bytes()) == odd


@pytest.mark.parametrize(("run", "name"), [("../../x", "heap"), ("run-1", "../heap"), ("", "heap"), ("run-1", "a/b")])
def test_a_document_cannot_leave_the_folder(run: str, name: str, tmp_path: Path) -> None:
    """A node may be called anything."""
    with pytest.raises(UsageError):
        FileStore(tmp_path / "state").keep(run, name, {})
    assert not list(tmp_path.rglob("*.json"))


def test_a_disk_that_refuses_a_document_says_so(tmp_path: Path) -> None:
    """A file where the folder should be, a folder where the file should be."""
    (tmp_path / "runs").write_text("")
    with pytest.raises(StorageError):
        FileStore(tmp_path).keep("run-1", "heap", {})
    (tmp_path / "state" / "runs" / "run-1" / "heap.json").mkdir(parents=True)
    with pytest.raises(StorageError):
        FileStore(tmp_path / "state").keep("run-1", "heap", {})
