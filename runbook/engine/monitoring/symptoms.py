"""The alerts of the known issues: one for each symptom that metrics tell, and one for each issue that is there."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook.engine.monitoring.asks import Asks
from runbook.engine.monitoring.promql import inert
from runbook.engine.monitoring.questions import ON_NODE, Question, present
from runbook.model.monitoring import AlertRule, Recording, Severity
from runbook.model.quantity import Condition, Reported
from runbook.model.runbook import Runbook, Symptom

LASTS = timedelta(minutes=2)
"""A window is five minutes long already: this much more, and one odd scrape is no alert."""
RUNBOOK_PAGE = "operations/dual_memory_runbook.md"


def command(words: str) -> str:
    """What to type, with the target of the alert where it has one."""
    return f"{words}{{{{ with $labels.target }}}} --target {{{{ . }}}}{{{{ end }}}}"


def anchor(title: str) -> str:
    """The place of a heading in a page."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


def where() -> str:
    """Which node it is, for a summary."""
    return "{{ with $labels.node }}{{ . }}{{ else }}{{ $labels.instance }}{{ end }}"


def told(question: Question) -> str:
    """Value and limit, for a summary."""
    return f'{{{{ printf "%.3g" $value }}}} {inert(question.unit)} {question.sign} {question.limit}'


def symptom_limits(runbooks: Sequence[Runbook]) -> tuple[Recording, ...]:
    """The limits that hang on a baseline."""
    found = (_question(symptom) for issue in runbooks for symptom in issue.symptoms)
    return tuple(limit for question in found if question is not None for limit in question.recordings)


def symptom_alerts(issue: Runbook) -> tuple[Asks, ...]:
    """The alert of each symptom of one issue."""
    return tuple(Asks(_alert(issue, symptom, question), symptom.condition) for symptom, question in _asked(issue))


def conditions(runbooks: Sequence[Runbook]) -> frozenset[Condition]:
    """What is alerted of already."""
    return frozenset(symptom.condition for issue in runbooks for symptom, _ in _asked(issue))


def _asked(issue: Runbook) -> Iterator[tuple[Symptom, Question]]:
    for symptom in issue.symptoms:
        question = _question(symptom)
        if question is not None:
            yield symptom, question


def _question(symptom: Symptom) -> Question | None:
    if isinstance(symptom.condition, Reported):
        return None
    return present(symptom.condition, symptom.alert)


def _alert(issue: Runbook, symptom: Symptom, question: Question) -> AlertRule:
    severity = Severity.CRITICAL if symptom.alone else Severity.WARNING if symptom is issue.leading else Severity.INFO
    return AlertRule(
        symptom.alert,
        question.expr,
        severity,
        issue.slug,
        f"{symptom.title} on {where()}: {told(question)}",
        symptom.why,
        command(f"runbook {issue.slug}"),
        f"{RUNBOOK_PAGE}#{anchor(issue.title)}",
        LASTS,
    )


def present_alert(issue: Runbook) -> Iterator[AlertRule]:
    """That the issue is there, where it takes more than one symptom."""
    if issue.leading.alone:
        return
    leading = _question(issue.leading)
    others = [question.expr for symptom in issue.supporting if (question := _question(symptom)) is not None]
    if leading is None or not others:
        return
    any_other = "\n  or ".join(others)
    yield AlertRule(
        issue.present_alert,
        f"{leading.expr}\nand {ON_NODE} (\n  {any_other}\n)",
        Severity.CRITICAL,
        issue.slug,
        f"{issue.title} on {where()}: {told(leading)}, and it shows",
        issue.why,
        command(f"runbook {issue.slug}"),
        f"{RUNBOOK_PAGE}#{anchor(issue.title)}",
        LASTS,
        note="The leading symptom, and one that supports it: as the command decides.",
    )
