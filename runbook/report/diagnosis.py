"""A diagnosis and its plan, for people."""

from collections.abc import Iterator, Sequence

from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis, Plan, PlannedStep
from runbook.model.runbook import Runbook
from runbook.report.lines import EMPTY, SYMPTOM_STYLES, Line, Style, line, shown
from runbook.report.looks import look_lines

PRESENCE = {
    Answer.YES: ("PRESENT", Style.BAD),
    Answer.NO: ("not present", Style.GOOD),
    Answer.UNKNOWN: ("UNKNOWN", Style.UNSURE),
}
FEW_NODES = 4
NOT_TOLD = "No node tells what this needs, and looking longer will not help. What can be read of them: runbook nodes"
NO_BASELINE = "Without a baseline it is not known what is usual. When the fleet is well: runbook baseline capture"


def diagnosis_lines(runbook: Runbook, diagnosis: Diagnosis) -> Iterator[Line]:
    """The verdict first, then each node; of many nodes only those that are not well in full."""
    word, style = PRESENCE[diagnosis.present]
    yield Line(((f"{runbook.title}: ", Style.STRONG), (word, style), (f" on {diagnosis.target}", Style.STRONG)))
    baseline = f"baseline of {diagnosis.baseline}" if diagnosis.baseline else "no baseline: absolute limits only"
    yield line(f"source {diagnosis.source}, window {diagnosis.window_seconds:g} s, {baseline}", Style.FAINT)
    if diagnosis.present is Answer.YES:
        yield line(runbook.why)
    width = max((len(finding.question) for node in diagnosis.nodes for finding in _all(node)), default=0)
    for node in diagnosis.nodes:
        yield from _node_lines(node, width, brief=len(diagnosis.nodes) > FEW_NODES and node.present is Answer.NO)


def _all(node: NodeDiagnosis) -> Sequence[Finding]:
    return (*node.symptoms, *node.checks)


def _node_lines(node: NodeDiagnosis, width: int, *, brief: bool) -> Iterator[Line]:
    word, style = PRESENCE[node.present]
    if brief:
        yield Line(((f"{node.node}  ", Style.STRONG), (word, style), (f"  {node.symptoms[0].arithmetic}", Style.FAINT)))
        return
    yield EMPTY
    yield Line(((f"{node.node}  ", Style.STRONG), (word, style)))
    for finding in _all(node):
        yield finding_line(finding, width)
    yield from look_lines(node)


def finding_line(finding: Finding, width: int) -> Line:
    """`  YES      Concept formation spikes   412 concepts/min > 3 x baseline 96`."""
    spans = (
        (f"{finding.answer.value:<8} ", SYMPTOM_STYLES[finding.answer]),
        (f"{finding.question:<{width}}  {finding.arithmetic}", Style.PLAIN),
    )
    return Line(spans, indent=2, hang=11)


def plan_lines(plan: Plan) -> Iterator[Line]:
    """What would be done: each step with its nodes, old and new value, risk and undo; what is skipped, and why."""
    yield EMPTY
    yield line("Plan", Style.STRONG)
    for planned in plan.steps:
        yield from _step_lines(planned)


def _step_lines(planned: PlannedStep) -> Iterator[Line]:
    step = planned.step
    note = f"risk {step.risk.name.lower()}"
    if step.emergency:
        note += "; emergency: only if the steps above did not help, and with --allow-disruptive"
    yield Line(((f"{planned.index}. {step.title}", Style.STRONG), (f"  ({note})", Style.FAINT)), indent=2, hang=3)
    yield line(step.why, Style.FAINT, indent=5)
    moves: dict[str, list[str]] = {}
    for change in planned.changes:
        moves.setdefault(f"{change.key}  {shown(change.old)} -> {shown(change.new)}", []).append(change.node)
    for move, nodes in moves.items():
        yield line(f"{', '.join(nodes)}: {move}", indent=5, hang=2)
    if planned.changes:
        yield line(f"undo: {step.undo.playbook} puts the old value back, if nobody changed it since", Style.FAINT, 5)
    reasons: dict[str, list[str]] = {}
    for skipped in planned.skipped:
        reasons.setdefault(skipped.reason, []).append(skipped.node)
    for reason, nodes in reasons.items():
        yield line(f"skipped on {', '.join(nodes)}: {reason}", Style.FAINT, indent=5, hang=2)


def next_lines(runbook: Runbook, diagnosis: Diagnosis, command: str, *, changes: bool) -> Iterator[Line]:
    """The command to type next, for each outcome."""
    yield EMPTY
    match diagnosis.present:
        case Answer.NO:
            yield line("Nothing to do.")
        case Answer.UNKNOWN:
            if not diagnosis.baseline and not diagnosis.none_tells:
                yield line(NO_BASELINE, hang=2)
            told = "It could not be told. Mend what is silent; where nothing is, look longer: --window 60s"
            yield line(NOT_TOLD if diagnosis.none_tells else told, hang=2)
        case Answer.YES if changes:
            yield Line((("To do it:  ", Style.PLAIN), (f"{command} --act", Style.STRONG)))
        case Answer.YES:
            yield line("Every setting is already where this runbook would put it.")
            yield line(runbook.escalate, hang=2)
