"""All known issues at once, for people and as JSON: the one with the most evidence first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runbook.engine.rank import yes_counts
from runbook.model.alert import Alert
from runbook.model.answer import Answer, any_of
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis
from runbook.model.runbook import Runbook
from runbook.report.diagnosis import NO_BASELINE, NOT_TOLD, PRESENCE
from runbook.report.document import node_data
from runbook.report.lines import EMPTY, SYMPTOM_STYLES, Line, Style, line

FEW_NAMES = 4


def survey_lines(runbooks: Mapping[str, Runbook], found: Sequence[Diagnosis], command: str) -> Iterator[Line]:
    """The verdict, each issue with its evidence, and the command to type next.

    Args:
        runbooks: every issue by its slug.
        found: the diagnoses, ranked.
        command: the command of the first issue.
    """
    first = found[0]
    present = [each for each in found if each.present is Answer.YES]
    unsure = any(each.present is Answer.UNKNOWN for each in found)
    none = "whether a known issue is present could not be told" if unsure else "no known issue is present"
    verdict = f"{len(present)} of {len(found)} known issues present" if present else none
    yield line(f"{first.target}: {verdict}", Style.STRONG)
    baseline = f"baseline of {first.baseline}" if first.baseline else "no baseline: absolute limits only"
    yield line(f"source {first.source}, window {first.window_seconds:g} s, {baseline}", Style.FAINT)
    for rank, diagnosis in enumerate(found, start=1):
        yield EMPTY
        yield from _issue_lines(rank, runbooks[diagnosis.issue], diagnosis)
    yield EMPTY
    yield from _next_lines(found, command)


def _issue_lines(rank: int, runbook: Runbook, diagnosis: Diagnosis) -> Iterator[Line]:
    word, style = PRESENCE[diagnosis.present]
    nodes = [node for node in diagnosis.nodes if node.present is diagnosis.present]
    where = f" on {_names(nodes)}" if diagnosis.present is not Answer.NO else ""
    yield Line(((f"{rank}. {runbook.title}: ", Style.STRONG), (word, style), (where, Style.PLAIN)), hang=3)
    if diagnosis.present is not Answer.NO:
        for findings in _by_question(nodes, diagnosis.present):
            yield _evidence_line(findings)


def _by_question(nodes: Sequence[NodeDiagnosis], answer: Answer) -> Iterator[list[Finding]]:
    """The findings with that answer, those of one question together."""
    together: dict[str, list[Finding]] = {}
    for node in nodes:
        asked = (*node.symptoms, *node.checks) if answer is Answer.YES else node.symptoms
        for finding in asked:
            if finding.answer is answer:
                together.setdefault(finding.question, []).append(finding)
    yield from together.values()


def _evidence_line(findings: Sequence[Finding]) -> Line:
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    told = f"{first.question}: {first.node}{more}: {first.arithmetic}"
    return Line(((f"{first.answer.value:<8} ", SYMPTOM_STYLES[first.answer]), (told, Style.PLAIN)), indent=3, hang=9)


def _names(nodes: Sequence[NodeDiagnosis]) -> str:
    names = [node.node for node in nodes]
    more = f" and {len(names) - FEW_NAMES} more" if len(names) > FEW_NAMES else ""
    return ", ".join(names[:FEW_NAMES]) + more


def _next_lines(found: Sequence[Diagnosis], command: str) -> Iterator[Line]:
    match found[0].present:
        case Answer.YES:
            shows = ("   shows all of it, and the plan", Style.FAINT)
            yield Line((("Next:  ", Style.PLAIN), (command, Style.STRONG), shows))
        case Answer.UNKNOWN:
            if not found[0].baseline and not found[0].none_tells:
                yield line(NO_BASELINE, hang=2)
            told = "Some of it could not be told. Mend what is silent; else look longer: --window 60s"
            yield line(NOT_TOLD if found[0].none_tells else told, hang=2)
        case Answer.NO:
            yield line("Nothing to do.")


def alert_lines(alerts: Sequence[Alert]) -> Iterator[Line]:
    """What each alert means."""
    for each in alerts:
        state, style = ("firing", Style.BAD) if each.firing else ("resolved", Style.FAINT)
        where = f" on {each.node or each.labels.get('instance', '')}".removesuffix(" on ")
        meaning = f"runbook {each.issue}" if each.issue else "no known issue; it has no runbook here"
        yield Line(((f"{state:<9}", style), (f"{each.name}{where}: {meaning}", Style.PLAIN)), hang=9)
    if alerts:
        yield EMPTY


def survey_data(
    runbooks: Mapping[str, Runbook], found: Sequence[Diagnosis], alerts: Sequence[Alert], command: str
) -> dict[str, Any]:
    """The same as JSON."""
    first = found[0]
    issues = []
    for each in found:
        symptoms, checks = yes_counts(each)
        issues.append(
            {
                "issue": each.issue,
                "title": runbooks[each.issue].title,
                "present": each.present.value,
                "symptoms_yes": symptoms,
                "checks_yes": checks,
                "nodes": [node_data(node) for node in each.nodes],
            }
        )
    return {
        "target": first.target,
        "present": any_of(each.present for each in found).value,
        "source": first.source,
        "window_seconds": first.window_seconds,
        "baseline": first.baseline or None,
        "issues": issues,
        "alerts": [
            {"name": each.name, "firing": each.firing, "node": each.node or None, "issue": each.issue or None}
            for each in alerts
        ],
        "next": command if first.present is Answer.YES else None,
    }
