"""Alerts from a file or from standard input: what Alertmanager writes, and whatever else is handed over instead."""

import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.adapters.alerts import LIMIT_BYTES, read_alerts
from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.model.alert import Alert

LEAK = {
    "status": "firing",
    "labels": {"alertname": "MemoryLeak", "instance": "10.0.0.1:7432", "severity": "page"},
    "annotations": {"summary": "grows", "runbook": "runbook memory-leak"},
    "startsAt": "2026-11-22T22:15:29.123Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
    "fingerprint": "c3b8e9a1d2f40576",
}
# The payload of Alertmanager's webhook: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
WEBHOOK: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="MemoryLeak"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "on-call",
    "groupLabels": {"alertname": "MemoryLeak"},
    "commonLabels": {"alertname": "MemoryLeak"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager:9093",
    "alerts": [LEAK, LEAK | {"status": "resolved"}],
}
EXPECTED = Alert(
    "MemoryLeak",
    firing=True,
    labels=LEAK["labels"],  # type: ignore[arg-type]
    annotations=LEAK["annotations"],  # type: ignore[arg-type]
    fingerprint="c3b8e9a1d2f40576",
    starts_at="2026-11-22T22:15:29.123Z",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the alerts are."""
    return tmp_path / "alerts.json"


def read(file: Path, document: Any) -> tuple[Alert, ...]:
    """What becomes of that document."""
    file.write_text(json.dumps(document))
    return read_alerts(file)


def test_the_webhooks_payload_is_read(file: Path) -> None:
    """Firing and resolved, with their labels and annotations."""
    first, second = read(file, WEBHOOK)
    assert first == EXPECTED
    assert (second.name, second.firing) == ("MemoryLeak", False)


@pytest.mark.parametrize(
    ("state", "firing"), [("active", True), ("unprocessed", True), ("suppressed", False), ("resolved", False)]
)
def test_the_list_of_the_api_is_read(file: Path, state: str, firing: bool) -> None:  # noqa: FBT001 - a case
    """`GET /api/v2/alerts`, which `amtool alert query -o json` prints: the status is an object there."""
    status = {"inhibitedBy": [], "silencedBy": [], "state": state}
    (found,) = read(file, [LEAK | {"status": status, "receivers": [{"name": "on-call"}], "updatedAt": "x"}])
    assert (found.name, found.firing) == ("MemoryLeak", firing)


def test_no_alerts_are_none(file: Path) -> None:
    """An empty list is an answer."""
    assert read(file, []) == ()
    assert read(file, {"version": "4", "alerts": []}) == ()


def test_an_alert_may_have_no_annotations_and_no_status(file: Path) -> None:
    """It is not firing as far as anybody knows."""
    (found,) = read(file, [{"labels": {"alertname": "X"}}])
    assert found == Alert("X", firing=False, labels={"alertname": "X"}, annotations={})


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "no list of alerts"),
        (5, "no list of alerts"),
        ("alerts", "no list of alerts"),
        ({}, "no list of alerts"),
        ({"alerts": {}}, "no list of alerts"),
        ({"alerts": None}, "no list of alerts"),
        ([LEAK, 5], "alerts[1] is no object"),
        ([[]], "alerts[0] is no object"),
        ([{}], "alerts[0].labels.alertname is missing"),
        ([{"labels": {"alertname": ""}}], "alerts[0].labels.alertname is missing"),
        ([{"labels": []}], "alerts[0].labels must map names to texts"),
        ([{"labels": None}], "alerts[0].labels must map names to texts"),
        ([{"labels": {"alertname": 5}}], "alerts[0].labels must map names to texts"),
        ([{"labels": {"alertname": "X", "n": None}}], "alerts[0].labels must map names to texts"),
        ([LEAK | {"annotations": "x"}], "alerts[0].annotations must map names to texts"),
    ],
)
def test_what_is_none_of_alertmanagers_is_damaged_with_its_place(file: Path, document: Any, place: str) -> None:
    """Exit code 12, the file, and what would be right."""
    with pytest.raises(DamagedError) as caught:
        read(file, document)
    assert str(file) in caught.value.message
    assert place in caught.value.message
    assert "Alertmanager" in caught.value.hint


@pytest.mark.parametrize(
    "status", [None, 5, True, [], ["firing"], {}, {"state": []}, {"state": {}}, {"state": None}, ""]
)
def test_a_status_of_another_type_is_not_firing(file: Path, status: Any) -> None:
    """And no crash: the alert counts all the same."""
    (found,) = read(file, [LEAK | {"status": status}])
    assert not found.firing


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b"[\n\n  nonsense]", "line 3, column 3"),
        (b"\xff\xfe[]", "byte 0: not UTF-8"),
        (b'["\xc3\x28"]', "byte 2: not UTF-8"),
        (b"\xef\xbb\xbf[]", "line 1, column 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "4300 digits"),
        (b"alertname=X\n", "line 1, column 1"),
    ],
)
def test_what_is_no_json_is_damaged_with_its_place(file: Path, data: bytes, place: str) -> None:
    """Line and column, or byte."""
    file.write_bytes(data)
    with pytest.raises(DamagedError) as caught:
        read_alerts(file)
    assert str(file) in caught.value.message
    assert place in caught.value.message


@pytest.mark.parametrize("version", ["5", "3", "", 4, None, [4]])
def test_another_version_is_not_supported(file: Path, version: Any) -> None:
    """Exit code 17, with the version."""
    with pytest.raises(NotSupportedError) as caught:
        read(file, WEBHOOK | {"version": version})
    assert repr(version) in caught.value.message
    assert str(file) in caught.value.message


def test_what_is_larger_than_any_payload_is_not_read(file: Path) -> None:
    """5 MB are refused, and what just fits is read."""
    file.write_bytes(b" " * (5 << 20) + b"[]")
    with pytest.raises(DamagedError, match="larger than"):
        read_alerts(file)
    file.write_bytes(b" " * (LIMIT_BYTES - 2) + b"[]")
    assert read_alerts(file) == ()


def test_what_never_ends_is_not_read_to_its_end() -> None:
    """A device, say."""
    with pytest.raises(DamagedError, match="larger than"):
        read_alerts(Path("/dev/zero"))


def test_a_file_that_is_not_there_or_is_a_folder_is_a_usage_error(tmp_path: Path) -> None:
    """With the reason of the operating system."""
    for path in (tmp_path / "missing.json", tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(UsageError) as caught:
            read_alerts(path)
        assert str(path) in caught.value.message
        assert "cannot be read" in caught.value.message
        assert caught.value.hint


def test_standard_input_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In what is read, and in what is wrong with it."""

    def given_on_stdin(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    given_on_stdin(json.dumps(WEBHOOK).encode())
    assert read_alerts(Path("-"))[0] == EXPECTED
    given_on_stdin(b"nonsense")
    with pytest.raises(DamagedError, match="standard input: line 1"):
        read_alerts(Path("-"))
    given_on_stdin(b" " * (LIMIT_BYTES + 1))
    with pytest.raises(DamagedError, match="standard input: larger"):
        read_alerts(Path("-"))


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=4),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(some.dictionaries(some.sampled_from(["labels", "annotations", "status"]), json_values), json_values)
def test_whatever_an_alert_is_made_of_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, alert: dict[str, Any], other: Any
) -> None:
    """Never a crash."""
    file = tmp_path_factory.getbasetemp() / "any.json"
    for document in ([alert], {"alerts": [LEAK | alert]}, {"version": other, "alerts": other}, other):
        with suppress(DamagedError, NotSupportedError):
            assert all(isinstance(each, Alert) and each.name for each in read(file, document))


@given(some.integers(0, 400), some.binary(max_size=3))
def test_a_mutilated_payload_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, instead: bytes
) -> None:
    """Cut anywhere, or with other bytes in it."""
    file = tmp_path_factory.getbasetemp() / "mutilated.json"
    whole = json.dumps(WEBHOOK).encode()
    for data in (whole[:place], whole[:place] + instead + whole[place + 1 :]):
        file.write_bytes(data)
        with suppress(DamagedError, NotSupportedError):
            read_alerts(file)
