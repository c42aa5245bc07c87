"""Which issue is the one: the right one first."""

from itertools import permutations

import pytest

from runbook.engine.rank import ranked, yes_counts
from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def node(present: Answer, symptoms: str, checks: str = "", name: str = "a") -> NodeDiagnosis:
    """A node with these answers: `y`, `n` or `u` each; the question is its place."""
    answers = {"y": YES, "n": NO, "u": UNKNOWN}

    def findings(kind: str, letters: str) -> tuple[Finding, ...]:
        return tuple(Finding(name, f"{kind} {at}", answers[letter], "", "") for at, letter in enumerate(letters))

    return NodeDiagnosis(name, present, findings("symptom", symptoms), findings("check", checks))


def issue(slug: str, *nodes: NodeDiagnosis) -> Diagnosis:
    """One issue on these nodes."""
    return Diagnosis(slug, "fleet", "test", 10.0, nodes)


@pytest.mark.parametrize(
    "expected",
    [
        # present, unknown, absent, whatever else was answered
        (issue("z", node(YES, "y")), issue("m", node(UNKNOWN, "yyu", "yy")), issue("a", node(NO, "nyy", "yyy"))),
        # a setting out of place is a cause: before more symptoms
        (issue("leak", node(YES, "y", "yn")), issue("spike", node(YES, "yyyy", "nn"))),
        # both have causes, or neither: the number of questions counts
        (issue("z", node(YES, "yy", "y")), issue("a", node(YES, "y", "y"))),
        (issue("z", node(YES, "yy")), issue("a", node(YES, "yu"))),
        # a tie is settled by the name, so that it never flickers
        (issue("a", node(YES, "y", "y")), issue("b", node(YES, "y", "y"))),
        (issue("a", node(NO, "n")), issue("b", node(NO, "n"))),
        # one question on many nodes is one piece of evidence
        (
            issue("z", node(YES, "yy", "y")),
            issue("a", node(YES, "y", "y", "a"), node(YES, "y", "y", "b"), node(YES, "y", "y", "c")),
        ),
        # what is out of place on a node where the issue is not does not count
        (issue("z", node(YES, "y", "y")), issue("a", node(YES, "y", "n", "a"), node(NO, "n", "yyyy", "b"))),
        # one sick node is enough
        (issue("z", node(NO, "n", "", "a"), node(YES, "y", "", "b")), issue("a", node(UNKNOWN, "u"))),
    ],
    ids=["presence", "cause", "causes", "symptoms", "tie", "absent", "nodes", "elsewhere", "one"],
)
def test_the_right_one_comes_first(expected: tuple[Diagnosis, ...]) -> None:
    """In whatever order they were asked."""
    names = [each.issue for each in expected]
    for order in permutations(expected):
        assert [each.issue for each in ranked(order)] == names


def test_an_issue_on_no_node_at_all_is_unknown_and_no_crash() -> None:
    """Nothing is known of nothing."""
    assert [each.issue for each in ranked((issue("a", node(NO, "n")), issue("z")))] == ["z", "a"]
    assert ranked(()) == ()


def test_the_evidence_is_counted_once_a_question_where_the_issue_may_be() -> None:
    """Symptoms and checks apart."""
    nodes = (node(YES, "yyn", "y", "a"), node(UNKNOWN, "yny", "ny", "b"), node(NO, "yyyyy", "yyyyy", "c"))
    assert yes_counts(issue("x", *nodes)) == (3, 2)


def test_what_follows_from_another_issue_goes_behind_it() -> None:
    """However much evidence it has, where the other one's own settings are out of place."""
    explains = {"flood": ("recall",)}
    cause, sign = issue("flood", node(YES, "y", "y")), issue("recall", node(YES, "yyy", "yy"))
    assert [each.issue for each in ranked((sign, cause), explains)] == ["flood", "recall"]
    idle = issue("flood", node(YES, "y", "n"))
    assert [each.issue for each in ranked((sign, idle), explains)] == ["recall", "flood"]
    absent = issue("flood", node(NO, "n", "y"))
    assert [each.issue for each in ranked((sign, absent), explains)] == ["recall", "flood"]
