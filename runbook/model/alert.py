"""An alert as Alertmanager hands it over, and what the webhook keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `issue` is the slug of the known issue that it means, empty where none is known.

    `fingerprint` and `starts_at` are Alertmanager's own words; empty where it did not say.
    """

    name: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    issue: str = ""
    node: str = ""
    fingerprint: str = ""
    starts_at: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """One alert that the journal has: `id` is the same for one firing and its end, however often they are sent.

    `target` is empty where the alert names none that is known; `named` is what it said.
    """

    id: str
    at: datetime
    target: str
    named: str
    alert: Alert
