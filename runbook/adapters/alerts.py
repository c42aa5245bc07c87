"""Alerts from a file or from standard input: Alertmanager's webhook (version 4), or the list that its API gives."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.model.alert import Alert

VERSION = "4"
LIMIT_BYTES = 4 << 20
STDIN = "-"
_MOST_LEFT_OUT = 1_000_000
_HINT = "a payload of Alertmanager's webhook, or `amtool alert query -o json`"
_FIRING = frozenset({"firing", "active", "unprocessed"})


@dataclass(frozen=True, slots=True)
class Payload:
    """What one document holds, and how many alerts more there are that it does not (`truncatedAlerts`)."""

    alerts: tuple[Alert, ...]
    left_out: int


def read_alerts(path: Path) -> tuple[Alert, ...]:
    """Every alert of the document, firing or not; raises as `read_payload`."""
    return read_payload(path).alerts


def read_payload(path: Path) -> Payload:
    """The document in that file, or in standard input where it is called `-`.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        DamagedError: it is none of Alertmanager's; the place is named.
        NotSupportedError: it is of another version.
    """
    name = "standard input" if str(path) == STDIN else str(path)
    try:
        raw = sys.stdin.buffer.read(LIMIT_BYTES + 1) if str(path) == STDIN else _bytes(path)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", hint=_HINT) from None
    if len(raw) > LIMIT_BYTES:
        raise DamagedError(f"{name}: larger than {LIMIT_BYTES} bytes", hint=_HINT)
    return payload_in(raw, name)


def payload_in(raw: bytes, name: str) -> Payload:
    """Every alert in these bytes, firing or not, and how many Alertmanager left out: its receiver has a `max_alerts`.

    `name` is what they are called in complaints.

    Raises:
        DamagedError: they are none of Alertmanager's; the place is named.
        NotSupportedError: they are of another version.
    """
    document = _parsed(raw, name)
    said = document.get("truncatedAlerts") if isinstance(document, Mapping) else None
    left_out = min(max(said, 0), _MOST_LEFT_OUT) if isinstance(said, int) else 0
    return Payload(_alerts(document, name), left_out)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LIMIT_BYTES + 1)


def _parsed(raw: bytes, name: str) -> Any:
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise DamagedError(f"{name}: byte {error.start}: not UTF-8", hint=_HINT) from None
    except json.JSONDecodeError as error:
        raise DamagedError(f"{name}: line {error.lineno}, column {error.colno}: {error.msg}", hint=_HINT) from None
    except ValueError as error:  # a number of more digits than Python takes
        raise DamagedError(f"{name}: {error}", hint=_HINT) from None
    except RecursionError:
        raise DamagedError(f"{name}: nested too deeply", hint=_HINT) from None


def _alerts(document: Any, name: str) -> tuple[Alert, ...]:
    if isinstance(document, Mapping) and document.get("version", VERSION) != VERSION:
        raise NotSupportedError(f"{name}: a payload of version {document['version']!r}; this tool reads {VERSION}")
    rows = document.get("alerts") if isinstance(document, Mapping) else document
    if not isinstance(rows, list):
        raise DamagedError(f"{name}: there is no list of alerts in it", hint=_HINT)
    return tuple(_alert(row, f"{name}: alerts[{at}]") for at, row in enumerate(rows))


def _alert(row: Any, place: str) -> Alert:
    if not isinstance(row, Mapping):
        raise DamagedError(f"{place} is no object", hint=_HINT)
    labels, annotations = (_texts(row.get(key, {}), f"{place}.{key}") for key in ("labels", "annotations"))
    if not labels.get("alertname"):
        raise DamagedError(f"{place}.labels.alertname is missing", hint=_HINT)
    status = row.get("status")
    state = status.get("state") if isinstance(status, Mapping) else status
    firing = isinstance(state, str) and state in _FIRING
    fingerprint, starts_at = (_text(row.get(key, "")) for key in ("fingerprint", "startsAt"))
    return Alert(labels["alertname"], firing, labels, annotations, fingerprint=fingerprint, starts_at=starts_at)


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _texts(found: Any, place: str) -> dict[str, str]:
    if not isinstance(found, Mapping) or not all(isinstance(value, str) for value in found.values()):
        raise DamagedError(f"{place} must map names to texts", hint=_HINT)
    return dict(found)
