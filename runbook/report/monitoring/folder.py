"""Every file of `monitoring/`, by its place in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.monitoring.files import rule_files
from runbook.engine.monitoring.proofs.files import proof_files
from runbook.model.monitoring import SCRAPE
from runbook.model.rollout import RolloutPlan
from runbook.model.runbook import Runbook
from runbook.report.monitoring.dashboards.canary import canary
from runbook.report.monitoring.dashboards.grafana import dashboard_text
from runbook.report.monitoring.dashboards.objectives import objectives
from runbook.report.monitoring.dashboards.overview import overview
from runbook.report.monitoring.examples import alertmanager_text, prometheus_text
from runbook.report.monitoring.proofs import proofs_text
from runbook.report.monitoring.rules import rules_text

DOCS = "docs/"
EXAMPLES = frozenset({"alertmanager.yml", "prometheus.yml"})
"""What people change: it is written once, and left alone from then on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rules are made for: plans, how often Prometheus scrapes, what the addresses of pages begin with."""

    plans: Sequence[RolloutPlan]
    scrape: timedelta = SCRAPE
    docs: str = DOCS


def monitoring_files(runbooks: tuple[Runbook, ...], wanted: Wanted) -> Mapping[str, str]:
    """The text of each file."""
    rules = rule_files(runbooks, wanted.plans, wanted.scrape)
    proofs = proof_files(runbooks, wanted.plans, rules, wanted.scrape)
    dashboards = (overview(runbooks), canary(wanted.plans), objectives())
    return {
        "alertmanager.yml": alertmanager_text(),
        "prometheus.yml": prometheus_text(wanted.scrape),
        **{f"rules/{each.name}.yml": rules_text(each, wanted.docs) for each in rules},
        **{f"rules/tests/{each.name}.yml": proofs_text(each, wanted.docs) for each in proofs},
        **{f"dashboards/{each.name}.json": dashboard_text(each) for each in dashboards},
    }
