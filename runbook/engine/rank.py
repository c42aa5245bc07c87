"""Which of several issues is the one? By evidence. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Finding

Explains = Mapping[str, Sequence[str]]
_ORDER = {Answer.YES: 0, Answer.UNKNOWN: 1, Answer.NO: 2}


def ranked(diagnoses: Sequence[Diagnosis], explains: Explains | None = None) -> tuple[Diagnosis, ...]:
    """The issue with the most evidence first.

    Present before unknown before absent. Among those present, one whose own settings are out of place goes first, since
    that is a cause and not a sign; one that such a one explains goes behind; then the number of its questions that were
    answered YES counts. `explains` names, by issue, those that follow from it.
    """
    causes = [each.issue for each in diagnoses if each.present is Answer.YES and yes_counts(each)[1]]
    followers = {follower for cause in causes for follower in (explains or {}).get(cause, ())}
    return tuple(sorted(diagnoses, key=lambda each: _key(each, each.issue in followers)))


def _key(diagnosis: Diagnosis, follows: bool) -> tuple[int, bool, bool, int, str]:  # noqa: FBT001 - a part of the key
    symptoms, checks = yes_counts(diagnosis)
    return (_ORDER[diagnosis.present], checks == 0, follows, -(symptoms + checks), diagnosis.issue)


def yes_counts(diagnosis: Diagnosis) -> tuple[int, int]:
    """How many symptoms and checks were answered YES on some node where the issue is not absent."""
    nodes = [node for node in diagnosis.nodes if node.present is not Answer.NO]
    symptoms = _yes(finding for node in nodes for finding in node.symptoms)
    return len(symptoms), len(_yes(finding for node in nodes for finding in node.checks))


def _yes(findings: Iterable[Finding]) -> set[str]:
    return {finding.question for finding in findings if finding.answer is Answer.YES}
