"""From a diagnosis to a plan: which value of which node would change, and what is skipped and why. Pure."""

from runbook.engine.evaluate import moves, setting_text
from runbook.engine.recorded import recorded
from runbook.model.answer import Answer
from runbook.model.finding import Change, Diagnosis, Plan, PlannedStep, Skipped
from runbook.model.measurement import Baseline, NodeSettings, Silence
from runbook.model.quantity import Limits, Sustained
from runbook.model.runbook import Runbook, Step
from runbook.model.settings import Value


def make_plan(runbook: Runbook, diagnosis: Diagnosis, settings: NodeSettings, baseline: Baseline | None) -> Plan:
    """The steps on the nodes where the issue is present; the others are left alone, with the reason."""
    steps = tuple(
        _planned(index, step, diagnosis, settings, baseline) for index, step in enumerate(runbook.steps, start=1)
    )
    return Plan(runbook.slug, steps, _exceeded(runbook, diagnosis))


def _exceeded(runbook: Runbook, diagnosis: Diagnosis) -> Limits:
    """The lowest limit that each sick node was above for as long as it takes: the watch asks for no less.

    A node that grew by 600 MB/h for three hours has not recovered while it still does, though that is under the limit
    which counts at once.
    """
    condition = runbook.leading.condition
    if not isinstance(condition, Sustained):
        return {}
    name = condition.parts[0].quantity.name
    leading = [node.symptoms[0] for node in diagnosis.nodes if node.present is Answer.YES and node.symptoms]
    return {
        each.node: {name: float(each.limit)}
        for each in leading
        if each.answer is Answer.YES and isinstance(each.limit, float)
    }


def _planned(
    index: int, step: Step, diagnosis: Diagnosis, settings: NodeSettings, baseline: Baseline | None
) -> PlannedStep:
    changes: list[Change] = []
    skipped: list[Skipped] = []
    for node in diagnosis.nodes:
        outcome = _for_node(step, node.node, node.present, settings, baseline)
        if isinstance(outcome, Change):
            changes.append(outcome)
        else:
            skipped.append(Skipped(step.title, node.node, outcome))
    return PlannedStep(index, step, tuple(changes), tuple(skipped))


def _for_node(
    step: Step, node: str, present: Answer, settings: NodeSettings, baseline: Baseline | None
) -> Change | str:
    if present is not Answer.YES:
        return "the issue is not present there" if present is Answer.NO else "it is not known whether it is present"
    known = settings.get(node)
    if known is None or isinstance(known, Silence):
        return "its settings could not be read"
    old = known.get(step.do.key)
    if old is None:
        return f"it has no setting {step.do.key}"
    new = _goal(step, node, baseline)
    if not moves(step.move, old, new):
        return f"already at {setting_text(old)}"
    return Change(node, step.do.key, old, new)


def _goal(step: Step, node: str, baseline: Baseline | None) -> Value:
    before = recorded(baseline, node, step.do.key) if step.to_baseline else None
    return step.value if before is None else before
