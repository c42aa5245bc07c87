"""Runs, for people: what each step did on each node, how the watch ended, and what to do next."""

from collections.abc import Iterable, Iterator, Mapping

from runbook.engine.apply import StepResult
from runbook.engine.carry import Carried
from runbook.model.run import Run, RunStatus
from runbook.report.lines import EMPTY, EXPECTATION_STYLES, Line, Style, line, shown
from runbook.report.looks import evidence_lines

STYLES = {
    RunStatus.RECOVERED: Style.GOOD,
    RunStatus.DONE: Style.GOOD,
    RunStatus.REVERTED: Style.GOOD,
    RunStatus.COULD_NOT_TELL: Style.UNSURE,
    RunStatus.OPEN: Style.UNSURE,
    RunStatus.WAITING: Style.UNSURE,
    RunStatus.WITHDRAWN: Style.FAINT,
}


def carried_lines(carried: Carried, escalate: str) -> Iterator[Line]:
    """The whole run, its verdict last, where the eye rests."""
    yield from evidence_lines(carried.evidence)
    for result in carried.results:
        yield from _result_lines(result, "")
    for result in carried.undo_results:
        yield from _result_lines(result, "put back: ")
    if carried.watched is not None:
        yield EMPTY
        yield line(f"Watched {carried.watched.seconds:.0f} s (must hold for {carried.watched.held_seconds:.0f} s)")
        for finding in carried.watched.findings:
            told = f"{finding.node}: {finding.question}: {finding.arithmetic}"
            mark = (f"{finding.answer.value:<8} ", EXPECTATION_STYLES[finding.answer])
            yield Line((mark, (told, Style.PLAIN)), indent=2, hang=9)
    yield EMPTY
    status = (carried.status.value.upper(), STYLES.get(carried.status, Style.BAD))
    yield Line(((f"Run {carried.plan.id}: ", Style.STRONG), status))
    for text in next_steps(carried, escalate):
        yield line(text, indent=2, hang=2)


def _result_lines(result: StepResult, prefix: str) -> Iterator[Line]:
    yield line(f"{prefix}{result.step.index}. {result.step.title}", Style.STRONG)
    for host in result.hosts:
        style = Style.GOOD if host.done else Style.BAD
        if host.done:
            text = f"{result.step.key}  {shown(host.old)} -> {shown(host.read_back)}, read back"
        else:
            text = host.message or f"{result.step.key} is {shown(host.read_back)}"
        yield Line(((f"{host.state.value:<12}", style), (f"{host.host}: {text}", Style.PLAIN)), indent=2, hang=12)


def next_steps(carried: Carried, escalate: str) -> tuple[str, ...]:
    """What the person does now."""
    run = carried.plan.id
    undo = f"to put the old values back: runbook undo {run}"
    told = {
        RunStatus.SUPERSEDED: (
            f"overtaken by the emergency brake, {carried.superseded_by}: what was done stands, nothing was put back",
            undo,
        ),
        RunStatus.RECOVERED: (undo,),
        RunStatus.NOT_RECOVERED: (escalate, undo),
        RunStatus.COULD_NOT_TELL: ("the watch saw too little to tell; ask again, without --act", undo),
        RunStatus.UNDONE: ("a step failed; what was changed is put back and read back", "see: runbook audit show"),
        RunStatus.PERSON_NEEDED: ("a step failed and could not be undone: look at the nodes named above now", undo),
        RunStatus.WAITING: (f"another person: runbook approve {run}; then anybody: runbook resume {run}",),
        RunStatus.WITHDRAWN: ("it was withdrawn before anything was done",),
        RunStatus.PARTIAL: (f"mend what is named above, then: runbook resume {run}",),
    }
    return told.get(carried.status, ())


def run_lines(runs: Iterable[Run], notes: Mapping[str, str] | None = None) -> Iterator[Line]:
    """A table of runs, newest last; a run that has a note is shown with it."""
    for run in runs:
        style = STYLES.get(run.status, Style.BAD)
        started = run.started_at.strftime("%Y-%m-%d %H:%M:%S")
        undone = f", undone by {run.undone_by}" if run.undone_by else ""
        rest = f"  {started}  {run.plan.target}  {run.who}  {run.plan.command}{undone}"
        yield Line(((run.plan.id, Style.STRONG), (f"  {run.status.value:<14}", style), (rest, Style.PLAIN)), hang=2)
        if note := (notes or {}).get(run.plan.id):
            yield line(note, Style.UNSURE, indent=2, hang=2)
        if run.plan.reason:
            yield line(f"reason: {run.plan.reason}", Style.FAINT, indent=2, hang=2)
