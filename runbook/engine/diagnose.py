"""Ask the fleet every question of an issue, or of all of them. Reads only: nothing here can run a play."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from runbook.engine.ask import ask
from runbook.engine.evaluate import allowing, check_setting
from runbook.engine.growth import growths
from runbook.engine.measure import Span, measure
from runbook.engine.reading import Questions, Reading, read_fleet
from runbook.engine.recorded import recorded
from runbook.engine.review import review
from runbook.model.answer import Answer, all_of, any_of
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis
from runbook.model.measurement import Baseline, Measurement, NodeSettings, Silence
from runbook.model.quantity import Quantity
from runbook.model.runbook import Runbook, Symptom
from runbook.model.target import Node, Target
from runbook.ports import ReadPorts

SETTINGS_SOURCE = "node"


def diagnose(
    runbook: Runbook,
    target: Target,
    ports: ReadPorts,
    baseline: Baseline | None,
    span: Span | timedelta,
    said: Mapping[str, int] | None = None,
) -> tuple[Diagnosis, NodeSettings]:
    """Every symptom and every check on every node, and the settings that were read on the way.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    (diagnosis,), settings = survey((runbook,), target, ports, baseline, span, said)
    return diagnosis, settings


def survey(
    runbooks: Sequence[Runbook],
    target: Target,
    ports: ReadPorts,
    baseline: Baseline | None,
    span: Span | timedelta,
    said: Mapping[str, int] | None = None,
) -> tuple[tuple[Diagnosis, ...], NodeSettings]:
    """The diagnosis of each issue, in the order of asking; everything is read once for all of them.

    A span may be longer than usual where an interval does not settle its limit; a plain length is kept to.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    span = span if isinstance(span, Span) else Span(span, span)
    questions = Questions(runbooks, baseline, span, said or {})
    reading = read_fleet(questions, target, ports, partial(_settled, runbooks, target.nodes))
    taken = "" if baseline is None else baseline.captured_at.isoformat(timespec="seconds")
    judged = [tuple(judge_node(runbook, node, reading) for node in target.nodes) for runbook in runbooks]
    return tuple(
        Diagnosis(runbook.slug, target.name, reading.source, reading.window.total_seconds(), nodes, taken)
        for runbook, nodes in zip(runbooks, judged, strict=True)
    ), reading.settings


def _settled(runbooks: Sequence[Runbook], nodes: Sequence[Node], reading: Reading) -> bool:
    """Is some issue there, or does no interval that decides lie across its limit? Then nothing is won by looking on."""
    unsettled = False
    for runbook in runbooks:
        for judged in (judge_node(runbook, node, reading) for node in nodes):
            if judged.present is Answer.YES:
                return True
            asked = zip(runbook.symptoms, judged.symptoms, strict=True)
            deciding = [finding for symptom, finding in asked if symptom.alone]
            # Where there is no limit a longer look cannot settle anything.
            unsettled |= any(each.answer is Answer.UNKNOWN and each.limit is not None for each in deciding)
    return not unsettled


def judge_node(runbook: Runbook, node: Node, reading: Reading) -> NodeDiagnosis:
    """One node, from what was read: pure.

    Present means a symptom that stands alone, or the leading symptom with one of the supporting ones.
    """
    found = reading.samples.get(node.name, Silence(node.name, "it was not read"))
    symptoms = _symptoms(runbook, node, reading)
    present = _present(runbook, [finding.answer for finding in symptoms])
    checks = _checks(runbook, node, reading)
    judged = NodeDiagnosis(node.name, present, symptoms, checks)
    if runbook.review is not None:
        concepts = reading.concepts.get(node.name, Silence(node.name, "they were not read"))
        finding, reviewed = review(runbook.review, node.name, concepts, reading.baseline)
        judged = replace(judged, checks=(*checks, finding), reviewed=reviewed)
    if isinstance(found, Silence):
        return replace(judged, silence=found)
    grows = growths(found, runbook.breakdown, reading.warm_up) if runbook.breakdown is not None else ()
    return replace(judged, grows=grows)


def _present(runbook: Runbook, answers: Sequence[Answer]) -> Answer:
    leading, *supporting = answers
    alone = [answer for symptom, answer in zip(runbook.symptoms, answers, strict=True) if _decides(symptom, answer)]
    return any_of((*alone, all_of((leading, any_of(supporting)))))


def _decides(symptom: Symptom, answer: Answer) -> bool:
    return symptom.alone and not (symptom.optional and answer is Answer.UNKNOWN)


def _symptoms(runbook: Runbook, node: Node, reading: Reading) -> tuple[Finding, ...]:
    silence, known = Silence(node.name, "it was not read"), reading.baseline

    def now(quantity: Quantity) -> Measurement:
        samples = reading.samples if quantity.over is None or reading.history is None else reading.history
        measured = measure(node.name, samples.get(node.name, silence), quantity, reading.warm_up)
        return allowing(measured, 0.0 if known is None else known.reach(node.name, quantity.name))

    def before(quantity: Quantity) -> float | None:
        return None if known is None else known.quantity(node.name, quantity.name)

    return tuple(ask(each, node.name, now, before, reading.said, reading.source) for each in runbook.symptoms)


def _checks(runbook: Runbook, node: Node, reading: Reading) -> tuple[Finding, ...]:
    known = reading.settings.get(node.name, Silence(node.name, "it was not read"))
    if isinstance(known, Silence):
        return tuple(
            Finding(node.name, check.title, Answer.UNKNOWN, f"no data: {known.reason}", SETTINGS_SOURCE)
            for check in runbook.checks
        )
    before = reading.baseline
    return tuple(
        check_setting(check, node.name, known.get(check.key), recorded(before, node.name, check.key), SETTINGS_SOURCE)
        for check in runbook.checks
    )


def silent_nodes(diagnosis: Diagnosis) -> Sequence[Silence]:
    """The nodes that nothing could be said of."""
    return [node.silence for node in diagnosis.nodes if node.silence is not None]
