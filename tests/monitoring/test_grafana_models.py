"""The dashboards are what Grafana's own models (of version 11.6) say a dashboard is: nothing unknown, nothing odd."""

import enum
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

FILES = sorted((Path(__file__).resolve().parents[2] / "monitoring" / "dashboards").glob("*.json"))
LOOKS = {"timeseries", "stat", "table", "row"}


def decoded(document: Any) -> Dashboard:
    """As Grafana's models read it, panels and queries as those of their own kind."""
    plugins.register_default_plugins()
    return Dashboard.from_json(json.loads(json.dumps(document)))


def encoded(dashboard: Dashboard) -> Any:
    """As they write it."""
    return json.loads(JSONEncoder(sort_keys=True).encode(dashboard))


def lost(mine: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """What we wrote and the models do not know."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        yield from (f"{at}.{key}" for key in mine if key not in theirs)
        for key in mine.keys() & theirs.keys():
            yield from lost(mine[key], theirs[key], f"{at}.{key}")
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from lost(one, other, f"{at}[{index}]")
    elif mine != theirs:
        yield f"{at}: {mine!r} became {theirs!r}"


def odd(value: Any, hint: Any, at: str = "") -> Iterator[str]:
    """What is not of the type that the models say, or not one of their words."""
    kind, parts = typing.get_origin(hint), typing.get_args(hint)
    if kind in (typing.Union, types.UnionType):
        found = [list(odd(value, part, at)) for part in parts]
        if all(found):  # the one that fits farthest says most
            yield from max(found, key=lambda each: len(each[0].partition(": ")[0]))
    elif kind in (list, dict):
        yield from _each(value, kind, parts[-1], at)
    elif words := parts or ([word.value for word in hint] if issubclass(hint, enum.Enum) else ()):
        if value not in words:
            yield f"{at}: {value!r} is none of {words}"
    elif not isinstance(value, int | float if hint is float else hint):
        yield f"{at}: {value!r} is no {hint}"
    elif type(value).__module__.startswith("grafana_foundation_sdk.models"):
        for name, inner in typing.get_type_hints(type(value)).items():
            yield from odd(getattr(value, name), inner, f"{at}.{name}")


def _each(value: Any, kind: type, hint: Any, at: str) -> Iterator[str]:
    if not isinstance(value, kind):
        yield f"{at}: {value!r} is no {kind}"
        return
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from odd(part, hint, f"{at}[{name}]")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafana_reads_every_field_as_it_is_meant(file: Path) -> None:
    """What its models read and write again has all of ours in it; each value is of its type, and of its words."""
    document = json.loads(file.read_text("utf-8"))
    assert {panel["type"] for panel in document["panels"]} <= LOOKS
    dashboard = decoded(document)
    assert list(lost(document, encoded(dashboard))) == []
    assert list(odd(dashboard, Dashboard)) == []


@pytest.mark.parametrize(
    ("place", "wrong", "told"),
    [
        (("panels", 1, "options", "colourMode"), "value", ".panels[1].options.colourMode"),
        (("panels", 1, "options", "colorMode"), "loud", "'loud' is none of"),
        (("panels", 1, "targets", 0, "expression"), "up", ".panels[1].targets[0].expression"),
        (("panels", 1, "fieldConfig", "defaults", "thresholds"), {"mode": "absolut", "steps": []}, "'absolut' is none"),
        (("templating", "list", 0, "type"), "data source", "'data source' is none of"),
        (("panels", 1, "title"), 7, "7 is no"),
    ],
)
def test_a_slip_is_found(place: tuple[Any, ...], wrong: object, told: str) -> None:
    """A field that nobody knows, a word that is none, a value of another type."""
    document = json.loads(FILES[1].read_text("utf-8"))
    *way, last = place
    inner = document
    for step in way:
        inner = inner[step]
    inner[last] = wrong
    dashboard = decoded(document)
    found = [*lost(document, encoded(dashboard)), *odd(dashboard, Dashboard)]
    assert any(told in each for each in found), found
