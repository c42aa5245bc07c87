"""The fleet at one glance: is it up, is a rollout under way, and what do the issues ask."""

from runbook.engine.monitoring.promql import number
from runbook.engine.monitoring.series import record_of
from runbook.engine.monitoring.stage import ANY_UNDER_WAY
from runbook.model.dashboard import Ask, Dashboard, Look, Panel, Row
from runbook.model.quantity import Above, AboveBaseline, Below, BelowBaseline, Quantity, quantities_of
from runbook.model.runbook import Runbook, Symptom
from runbook.report.condition import condition_text

NODE = 'target=~"$target",node=~"$node"'
TARGET = 'target=~"$target"'
_FIRING = f'sort_desc(sum by (severity, alertname, target, node) (ALERTS{{alertstate="firing",{TARGET}}}))'
_UNITS = {"s": "s", "%": "percent", "bytes": "bytes", "MB/h": "short"}


def overview(runbooks: tuple[Runbook, ...]) -> Dashboard:
    """The questions of each issue have a row of their own."""
    return Dashboard(
        "engram-overview",
        "Engram: overview",
        "Is the fleet up, what fires, where is the rollout, and what do the known issues ask?",
        (_now(), _rollout(), *map(_issue, runbooks), _runs_with()),
    )


def _now() -> Row:
    return Row(
        "Now",
        (
            Panel("Nodes that answer", (Ask(f'sum(up{{job="engram",{NODE}}})', ""),), look=Look.NUMBER),
            Panel(
                "Nodes that do not answer",
                (Ask(f'count(up{{job="engram",{NODE}}} == 0) or vector(0)', ""),),
                look=Look.NUMBER,
                limit=1,
            ),
            Panel(
                "Alerts that fire",
                (Ask(f'count(ALERTS{{alertstate="firing",{TARGET}}}) or vector(0)', ""),),
                look=Look.NUMBER,
                limit=1,
            ),
            Panel(
                "Recalls",
                (Ask(f'sum(rate(engram_recall_total{{job="engram",{NODE}}}[$__rate_interval]))', ""),),
                "reqps",
                Look.NUMBER,
            ),
            Panel(
                "What fires",
                (Ask(_FIRING),),
                look=Look.TABLE,
                about="Each alert carries the command to run in its annotation `runbook`.",
                ours=True,
            ),
        ),
    )


def standing(title: str) -> tuple[Panel, Panel]:
    """The stage of each rollout that is under way, under that title, and the share that is treated."""
    share = f"max by (target) (engram_runbook_rollout_share{{{TARGET}}})"
    return (
        Panel(title, (Ask(f"engram_runbook_rollout_stage_info{{{TARGET}}}"),), look=Look.TABLE, ours=True),
        Panel("Share of the spaces that is treated", (Ask(share, "{{target}}"),), "percentunit", ours=True),
    )


def _rollout() -> Row:
    seen = f"max by (target) (engram_runbook_watch_seen_timestamp_seconds{{{TARGET}}})"
    return Row(
        "Rollout",
        (
            *standing("Where it is"),
            Panel("The watch was heard of", (Ask(f"time() - {seen}", "{{target}}"),), "s", Look.NUMBER, ours=True),
            Panel(
                "Hosts that do not tell the watch",
                (
                    Ask(
                        f"count(engram_runbook_watch_silent{{{TARGET}}} and on (target) {ANY_UNDER_WAY}) or vector(0)",
                        "",
                    ),
                ),
                look=Look.NUMBER,
                limit=1,
                ours=True,
            ),
            Panel(
                "Runs that need a person",
                (Ask(f"sum(engram_runbook_runs_needing_a_person{{{TARGET}}})", ""),),
                look=Look.NUMBER,
                limit=1,
                ours=True,
            ),
            Panel("The journal is whole", (Ask("min(engram_runbook_journal_sound)", ""),), look=Look.NUMBER, ours=True),
        ),
    )


def _issue(issue: Runbook) -> Row:
    return Row(issue.title, tuple(_symptom(each) for each in issue.symptoms if each.alert))


def _symptom(symptom: Symptom) -> Panel:
    quantities = quantities_of(symptom.condition)
    asks = [_ask(quantity) for quantity in quantities]
    if isinstance(symptom.condition, AboveBaseline | BelowBaseline):
        asks.append(Ask(f'engram:limit{{of="{symptom.alert}",{NODE}}}', "limit of {{node}}"))
    unit = _UNITS.get(quantities[0].unit, "short")
    limit = symptom.condition.limit if isinstance(symptom.condition, Above | Below) else None
    about = f"YES when {condition_text(symptom.condition)}"
    return Panel(symptom.title, tuple(asks), unit, about=about, limit=limit, below=isinstance(symptom.condition, Below))


def _ask(quantity: Quantity) -> Ask:
    over = "" if quantity.over is None else f" over {number(quantity.over.total_seconds() / 3600)} h"
    return Ask(f"{record_of(quantity)}{{{NODE}}}", f"{{{{node}}}}{over}")


def _runs_with() -> Row:
    return Row(
        "What the nodes hold, and run with",
        (
            Panel(
                "Memory by component",
                (Ask(f'sum by (component) (engram_memory_bytes{{job="engram",{NODE}}})', "{{component}}"),),
                "bytes",
            ),
            Panel(
                "Records",
                tuple(
                    Ask(f'sum(engram_{kind}{{job="engram",{NODE}}})', kind)
                    for kind in ("episodes", "concepts", "bindings")
                ),
            ),
            Panel(
                "Dead bindings",
                (Ask(f'sum by (node) (engram_binding_orphans{{job="engram",{NODE}}})'),),
            ),
            Panel(
                "Concept cache",
                (Ask(f'sum by (node) (engram_concept_cache_bytes{{job="engram",{NODE}}})'),),
                "bytes",
            ),
            Panel(
                "Flags that are on",
                (Ask(f'sum by (name) (engram_feature_enabled{{job="engram",{NODE}}})', "{{name}}"),),
                about="On how many nodes.",
            ),
            Panel(
                "Settings",
                (Ask(f'avg by (node, name) (engram_config_value{{job="engram",{NODE}}})', "{{node}} {{name}}"),),
            ),
        ),
    )
