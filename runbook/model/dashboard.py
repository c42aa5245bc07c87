"""Dashboards as data: rows of panels, each with what it asks of Prometheus."""

from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How a panel shows what it asks, in Grafana's words."""

    LINES = "timeseries"
    NUMBER = "stat"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Ask:
    """One expression, and how its series are called (`{{node}}`)."""

    expr: str
    legend: str = "{{node}}"


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is Grafana's. `limits` are drawn as lines (a number is red from there on; `below`: up to there).

    `ours`: what it shows comes from `runbook serve`, not from the nodes.
    """

    title: str
    asks: tuple[Ask, ...]
    unit: str = "short"
    look: Look = Look.LINES
    about: str = ""
    limit: float | None = None
    below: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside each other under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `name` is its file and its address."""

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)
