"""The pieces of PromQL that the rules are made of. Pure text."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from runbook.model.monitoring import NODES, PLACE, SCRAPE
from runbook.model.quantity import Labels

USUAL = timedelta(minutes=5)
"""The window of a diagnosis from Prometheus (`runbook/adapters/prometheus.py`)."""
FEWEST_SCRAPES = 4
"""A window holds as many scrapes at least, or one that is missed leaves no rate."""
BY_PLACE = f"by ({', '.join(PLACE)})"
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]+")


def span(length: timedelta) -> str:
    """The length as PromQL writes it: `5m`, `90s`, `3h`."""
    seconds = round(length.total_seconds() * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}ms"


def window(length: timedelta, scrape: timedelta = SCRAPE) -> str:
    """A range that long, but never of fewer than four scrapes."""
    return span(widest(length, scrape))


def widest(length: timedelta, scrape: timedelta) -> timedelta:
    """That long, or four scrapes."""
    return max(length, FEWEST_SCRAPES * scrape)


def number(value: float) -> str:
    """The shortest text that is this very number."""
    text = repr(float(value))
    return text.removesuffix(".0")


def quoted(text: str) -> str:
    """A text in PromQL: within double quotes, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def any_of(words: Iterable[str]) -> str:
    """A regular expression, as a PromQL text, that matches exactly these words; Prometheus anchors it."""
    return quoted("|".join(re.escape(word) for word in words))


def selector(metric: str, labels: Labels | Mapping[str, str] = ()) -> str:
    """The metric with labels: `name{group="control"}`."""
    pairs = labels.items() if isinstance(labels, Mapping) else labels
    inside = ",".join(f"{name}={quoted(value)}" for name, value in pairs)
    return f"{metric}{{{inside}}}" if inside else metric


def of_nodes(metric: str, labels: Labels = ()) -> str:
    """The metric as the nodes tell it: Prometheus itself, and `serve`, have a `process_start_time_seconds` too."""
    return selector(metric, (("job", NODES), *labels))


def summed(inner: str, by: str = BY_PLACE) -> str:
    """The sum of all series of a node."""
    return f"sum {by} ({inner})"


def identifier(text: str) -> str:
    """The text as part of a name of a series: letters, digits, underscores."""
    return _NO_NAME.sub("_", text).strip("_")


def inert(text: str) -> str:
    """A text of a plan within a label or an annotation, where Prometheus would take two braces for a template."""
    return text.replace("{{", '{{ "{{" }}')


def camel(text: str) -> str:
    """The text as the name of an alert: `Recalls fail` is `RecallsFail`."""
    words = _NO_NAME.sub(" ", text).replace("_", " ").split()
    return "".join(word[0].upper() + word[1:] for word in words)
