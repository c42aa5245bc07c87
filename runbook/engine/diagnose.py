"""Ask the fleet every question of an issue. Reads only: nothing here can run a play."""

from collections.abc import Sequence
from datetime import timedelta

from runbook.engine.evaluate import check_setting, evaluate
from runbook.engine.measure import gather, measure, series_of
from runbook.model.answer import Answer, all_of, any_of
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis
from runbook.model.measurement import Baseline, NodeSamples, NodeSettings, Samples, Silence
from runbook.model.runbook import Runbook, Symptom
from runbook.model.settings import CATALOGUE, Value, checked
from runbook.model.target import Node, Target
from runbook.ports import ReadPorts

SETTINGS_SOURCE = "node"


def diagnose(
    runbook: Runbook,
    target: Target,
    ports: ReadPorts,
    baseline: Baseline | None,
    window: timedelta,
) -> tuple[Diagnosis, NodeSettings]:
    """Every symptom and every check on every node, and the settings that were read on the way.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    samples = gather(ports, target.nodes, series_of(runbook.quantities), window)
    settings = ports.nodes.settings(target.nodes)
    judged = tuple(judge_node(runbook, node, samples, settings, baseline, ports.probes.source) for node in target.nodes)
    taken = "" if baseline is None else baseline.captured_at.isoformat(timespec="seconds")
    return Diagnosis(runbook.slug, target.name, ports.probes.source, window.total_seconds(), judged, taken), settings


def judge_node(
    runbook: Runbook,
    node: Node,
    samples: Samples,
    settings: NodeSettings,
    baseline: Baseline | None,
    source: str,
) -> NodeDiagnosis:
    """One node, from what was read: pure. Present means the leading symptom and one of the supporting ones."""
    found = samples.get(node.name, Silence(node.name, "it was not read"))
    symptoms = tuple(_ask(symptom, node, found, baseline, source) for symptom in runbook.symptoms)
    leading, *supporting = (finding.answer for finding in symptoms)
    present = all_of((leading, any_of(supporting)))
    checks = _checks(runbook, node, settings, baseline)
    return NodeDiagnosis(node.name, present, symptoms, checks, found if isinstance(found, Silence) else None)


def _ask(symptom: Symptom, node: Node, found: NodeSamples | Silence, baseline: Baseline | None, source: str) -> Finding:
    quantity = symptom.condition.quantity
    before = None if baseline is None else baseline.quantity(node.name, quantity.name)
    return evaluate(symptom.title, symptom.condition, measure(node.name, found, quantity), before, source)


def _checks(runbook: Runbook, node: Node, settings: NodeSettings, baseline: Baseline | None) -> tuple[Finding, ...]:
    known = settings.get(node.name, Silence(node.name, "it was not read"))
    if isinstance(known, Silence):
        return tuple(
            Finding(node.name, check.title, Answer.UNKNOWN, f"no data: {known.reason}", SETTINGS_SOURCE)
            for check in runbook.checks
        )
    return tuple(
        check_setting(check, node.name, known.get(check.key), recorded(baseline, node.name, check.key), SETTINGS_SOURCE)
        for check in runbook.checks
    )


def recorded(baseline: Baseline | None, node: str, key: str) -> Value | None:
    """The setting in the baseline, as its own type, or None."""
    value = None if baseline is None else baseline.setting(node, key)
    return None if value is None else checked(CATALOGUE[key], value)


def silent_nodes(diagnosis: Diagnosis) -> Sequence[Silence]:
    """The nodes that nothing could be said of."""
    return [node.silence for node in diagnosis.nodes if node.silence is not None]
