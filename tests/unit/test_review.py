"""A look at recent concepts: which are weak by what was usual when the node was well."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.engine.review import age, review
from runbook.issues.poor_recall_quality import CLUSTER_SIZE, THRESHOLD
from runbook.model.answer import Answer
from runbook.model.concept import RecentConcept
from runbook.model.measurement import Baseline, NodeBaseline, Silence
from runbook.model.runbook import Review
from runbook.model.settings import Value

ASKED = Review("Recent concepts are weak", timedelta(hours=24), 10, 0.2, THRESHOLD, CLUSTER_SIZE)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def concept(coherence: float = 0.9, size: int = 5) -> RecentConcept:
    """One that was formed a day ago."""
    return RecentConcept("c1", "default", "2026-01-01T00:00:00Z", size, coherence, ("text",))


def well(**settings: Value) -> Baseline:
    """The settings of node `a` when it was well."""
    named = {"coherence": THRESHOLD, "size": CLUSTER_SIZE}
    return Baseline("fleet", NOW, 10.0, {"a": NodeBaseline({}, {named[key]: value for key, value in settings.items()})})


@pytest.mark.parametrize(
    ("coherence", "size", "weak"),
    [
        (0.65, 3, ""),
        (0.649, 3, "coherence 0.65 < 0.65"),
        (0.2, 3, "coherence 0.20 < 0.65"),
        (0.9, 2, "2 episodes < 3"),
        (0.2, 2, "coherence 0.20 < 0.65, 2 episodes < 3"),
        (-0.1, 0, "coherence -0.10 < 0.65, 0 episodes < 3"),
    ],
)
def test_a_concept_is_weak_by_its_coherence_or_by_its_size(coherence: float, size: int, weak: str) -> None:
    """Under the defaults, where there is no baseline."""
    _, (found,) = review(ASKED, "a", [concept(coherence, size)], None)
    assert found.weak == weak


def test_the_limits_are_those_of_when_the_node_was_well() -> None:
    """The baseline of this node, where it has the setting; else the default."""
    loose, strict = concept(0.5, 2), concept(0.8, 4)
    _, (first, second) = review(ASKED, "a", [loose, strict], well(coherence=0.4, size=2))
    assert (first.weak, second.weak) == ("", "")
    _, (first, second) = review(ASKED, "a", [loose, strict], well(coherence=0.85, size=5))
    assert second.weak == "coherence 0.80 < 0.85, 4 episodes < 5"
    _, (first,) = review(ASKED, "a", [loose], well(coherence=0.4))
    assert first.weak == "2 episodes < 3"
    _, (first,) = review(ASKED, "b", [loose], well(coherence=0.4, size=2))
    assert first.weak == "coherence 0.50 < 0.65, 2 episodes < 3", "another node's baseline says nothing"


@pytest.mark.parametrize(
    ("weak", "answer", "sign"), [(0, "NO", "<="), (2, "NO", "<="), (3, "YES", ">"), (10, "YES", ">")]
)
def test_more_than_a_fifth_of_them_weak_is_bad_news(weak: int, answer: str, sign: str) -> None:
    """Two of ten are not, three are."""
    finding, looked = review(ASKED, "a", [concept(0.1)] * weak + [concept()] * (10 - weak), None)
    assert finding.answer.value == answer
    assert finding.arithmetic == f"{weak} of the newest 10 are weak: {weak * 10}% {sign} 20%"
    assert (finding.value, finding.limit) == (weak / 10, 0.2)
    assert sum(bool(each.weak) for each in looked) == weak


def test_no_more_are_looked_at_than_asked_for() -> None:
    """A node may tell of more than it was asked for."""
    finding, looked = review(ASKED, "a", [concept()] * 10 + [concept(0.1)] * 90, None)
    assert (finding.answer, len(looked)) == (Answer.NO, 10)


def test_a_node_that_formed_none_has_no_weak_ones() -> None:
    """That is known, and it is no division by zero."""
    finding, looked = review(ASKED, "a", [], None)
    assert (finding.answer, finding.arithmetic, looked) == (Answer.NO, "no concept was formed in the last 24 h", ())


def test_a_node_that_does_not_tell_is_unknown() -> None:
    """With its reason."""
    finding, looked = review(ASKED, "a", Silence("a", "timed out"), None)
    assert (finding.answer, finding.arithmetic, looked) == (Answer.UNKNOWN, "no data: timed out", ())
    assert finding.value is None


@pytest.mark.parametrize(
    ("formed_at", "seconds"),
    [
        ("2026-01-01T23:59:50Z", 10.0),
        ("2026-01-01T23:59:50.5+00:00", 9.5),
        ("2026-01-02T02:00:00+02:00", 0.0),
        ("2026-01-02T00:01:00Z", -60.0),
        ("2026-01-01T00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_age_of_a_concept_is_told_where_its_date_reads(formed_at: str, seconds: float | None) -> None:
    """A date without a zone is no moment."""
    assert age(RecentConcept("c", "s", formed_at, 3, 0.9), NOW) == seconds
