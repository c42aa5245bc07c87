"""Which of several issues is the one? By evidence. Pure."""

from collections.abc import Iterable, Sequence

from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Finding

_ORDER = {Answer.YES: 0, Answer.UNKNOWN: 1, Answer.NO: 2}


def ranked(diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """The issue with the most evidence first.

    Present before unknown before absent. Among those present, one whose own settings are out of place goes first, since
    that is a cause and not a sign; then the number of its questions that were answered YES.
    """
    return tuple(sorted(diagnoses, key=_key))


def _key(diagnosis: Diagnosis) -> tuple[int, bool, int, str]:
    symptoms, checks = yes_counts(diagnosis)
    return (_ORDER[diagnosis.present], checks == 0, -(symptoms + checks), diagnosis.issue)


def yes_counts(diagnosis: Diagnosis) -> tuple[int, int]:
    """How many symptoms and checks were answered YES on some node where the issue is not absent."""
    nodes = [node for node in diagnosis.nodes if node.present is not Answer.NO]
    symptoms = _yes(finding for node in nodes for finding in node.symptoms)
    return len(symptoms), len(_yes(finding for node in nodes for finding in node.checks))


def _yes(findings: Iterable[Finding]) -> set[str]:
    return {finding.question for finding in findings if finding.answer is Answer.YES}
