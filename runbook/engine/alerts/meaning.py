"""Which known issue does an alert mean, and on which node? Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from runbook.model.alert import Alert
from runbook.model.runbook import Runbook
from runbook.model.target import Node

NAMED = ("issue", "runbook", "runbook_url")
"""Labels or annotations that name the issue itself: its slug, the command, or an address that ends with it."""


def understood(alerts: Sequence[Alert], runbooks: Sequence[Runbook], nodes: Sequence[Node]) -> tuple[Alert, ...]:
    """The alerts with their issue, by their own word for it, else by their name, and node; the firing ones first."""
    ordered = sorted(alerts, key=lambda each: not each.firing)
    return tuple(replace(each, issue=_issue(each, runbooks), node=_node(each, nodes)) for each in ordered)


def _issue(alert: Alert, runbooks: Sequence[Runbook]) -> str:
    said = " ".join(each.get(name, "") for each in (alert.labels, alert.annotations) for name in NAMED)
    words = set(re.findall(r"[a-z][a-z-]+", said))
    by_word = [each.slug for each in runbooks if each.slug in words]
    by_name = [each.slug for each in runbooks if alert.name in each.known_alerts]
    return next(iter(by_word + by_name), "")


def _node(alert: Alert, nodes: Sequence[Node]) -> str:
    instance = alert.labels.get("instance")
    named = [each.name for each in nodes if each.name == alert.labels.get("node")]
    by_place = [each.name for each in nodes if instance in {each.name, each.instance}]
    return next(iter(named + by_place), "")
