"""What is kept of an alert: enough to know it again, and to diagnose because of it; never without bound."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from runbook.engine.alerts.meaning import NAMED
from runbook.model.alert import Alert, Received
from runbook.model.journal import Entry

TARGET_LABELS = ("engram_target", "target")
"""Labels that name the fleet, the surer one first: `target` is also what a blackbox exporter calls its URLs."""
MOST_LABELS = 32
LONGEST_TEXT = 500
LONGEST_NAME = 100
_FIRST = ("alertname", *TARGET_LABELS, *NAMED, "instance", "node", "severity")


def identity(alert: Alert) -> str:
    """One firing: its labels and when it began. Its end has the same.

    Alertmanager's fingerprint is a digest of the labels, too; this one cannot be claimed by whoever sends it.
    """
    return _digest([sorted(alert.labels.items()), alert.starts_at])


def series(alert: Alert) -> str:
    """Its labels, whenever it began."""
    return _digest(sorted(alert.labels.items()))


def seen_as(alert: Alert) -> str:
    """What is taken once only until the other one comes: a firing, or its end."""
    return f"{identity(alert)}{'+' if alert.firing else '-'}"


def bounded(alert: Alert) -> Alert:
    """The alert as it is kept: so many labels, the ones that matter first, each so long; without what is no text."""
    names = sorted(alert.labels, key=lambda each: (each not in _FIRST, each))[:MOST_LABELS]
    annotations = {each: _text(alert.annotations[each]) for each in NAMED if each in alert.annotations}
    labels = {_text(each, LONGEST_NAME): _text(alert.labels[each]) for each in names}
    return replace(
        alert,
        name=_text(alert.name, LONGEST_NAME),
        labels=labels,
        annotations=annotations,
        fingerprint=_text(alert.fingerprint, LONGEST_NAME),
        starts_at=_text(alert.starts_at, LONGEST_NAME),
    )


def named_target(alert: Alert) -> str:
    """The fleet that the alert names, cut like any name; empty where it names none. An address names no fleet."""
    said = [alert.labels[each] for each in TARGET_LABELS if alert.labels.get(each)]
    return _text(next((each for each in said if "/" not in each and ":" not in each), ""), LONGEST_NAME)


def details_of(received: Received) -> dict[str, Any]:
    """What is journaled of it."""
    alert = received.alert
    return {
        "id": received.id,
        "name": alert.name,
        "firing": alert.firing,
        "target": received.target,
        "named": received.named,
        "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
    }


def received_of(entry: Entry) -> Received:
    """The same, read back."""
    found = entry.details
    alert = Alert(
        name=found["name"],
        firing=found["firing"],
        labels=found["labels"],
        annotations=found["annotations"],
        fingerprint=found["fingerprint"],
        starts_at=found["starts_at"],
    )
    return Received(found["id"], entry.at, found["target"], found["named"], alert)


def payload_of(received: Sequence[Received]) -> dict[str, Any]:
    """The alerts as Alertmanager's webhook would hand them over, for `runbook diagnose --from`."""
    rows = [
        {
            "status": "firing" if each.alert.firing else "resolved",
            "labels": dict(each.alert.labels),
            "annotations": dict(each.alert.annotations),
            "startsAt": each.alert.starts_at,
            "fingerprint": each.alert.fingerprint,
        }
        for each in received
    ]
    return {"version": "4", "alerts": rows}


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Without halves of surrogate pairs and control characters, which no name has and no argument takes."""
    kept = "".join(each if each.isprintable() else "\ufffd" for each in text[: longest + 1])
    return kept if len(kept) <= longest else kept[: longest - 1] + "\u2026"
