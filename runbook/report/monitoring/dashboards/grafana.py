"""A dashboard as Grafana's JSON (schema 39, which Grafana 11 writes and later ones read)."""

import json
from collections.abc import Iterator
from typing import Any

from runbook.model.dashboard import Dashboard, Look, Panel

SCHEMA = 39
WIDTH, HEIGHT, SMALL = 24, 8, 4
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard_text(dashboard: Dashboard) -> str:
    """The file."""
    document = {
        "uid": dashboard.name,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["engram", "engram-runbook"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "utc",
        "templating": {
            "list": [_datasource(), _variable("target", 'label_values(up{job="engram"}, target)'), _nodes()]
        },
        "annotations": {"list": []},
        "links": [_others()],
        "panels": list(_panels(dashboard)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _others() -> dict[str, Any]:
    """The other dashboards, for the same targets and the same time."""
    look = {"asDropdown": True, "icon": "dashboard", "tooltip": "", "targetBlank": False}
    return {
        "type": "dashboards",
        "tags": ["engram-runbook"],
        "title": "Engram",
        "keepTime": True,
        "includeVars": True,
        **look,
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _nodes() -> dict[str, Any]:
    return _variable("node", 'label_values(up{job="engram",target=~"$target"}, node)')


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in dashboard.rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": _at(0, y, WIDTH, 1),
        }
        y += 1
        x = line = 0
        for panel in row.panels:
            wide, high = (6, SMALL) if panel.look is Look.NUMBER else (8, HEIGHT)
            if x + wide > WIDTH:
                x, y, line = 0, y + line, 0
            number += 1
            yield {"id": number, **_panel(panel), "gridPos": _at(x, y, wide, high)}
            x, line = x + wide, max(line, high)
        y += line


def _at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel) -> dict[str, Any]:
    instant = panel.look is not Look.LINES
    return {
        "type": panel.look.value,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": ask.expr,
                "legendFormat": ask.legend,
                "instant": instant,
                "range": not instant,
                "format": "table" if panel.look is Look.TABLE else "time_series",
            }
            for index, ask in enumerate(panel.asks)
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    }


def _field(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": panel.unit, "noValue": "no data"}
    if panel.limit is not None:
        low, high = ("red", "green") if panel.below else ("green", "red")
        steps = [{"color": low, "value": None}, {"color": high, "value": panel.limit}]
        found["thresholds"] = {"mode": "absolute", "steps": steps}
        found["custom"] = {"thresholdsStyle": {"mode": "line"}} if panel.look is Look.LINES else {}
    return found


def _options(panel: Panel) -> dict[str, Any]:
    match panel.look:
        case Look.LINES:
            legend = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case Look.NUMBER:
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "none"}
        case Look.TABLE:
            return {"showHeader": True}
