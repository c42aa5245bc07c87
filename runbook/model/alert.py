"""An alert as Alertmanager hands it over."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `issue` is the slug of the known issue that it means, empty where none is known."""

    name: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    issue: str = ""
    node: str = ""
