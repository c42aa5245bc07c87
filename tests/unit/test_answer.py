"""Kleene's three-valued logic: what is not known is never taken for NO."""

from hypothesis import given
from hypothesis import strategies as some

from runbook.model.answer import Answer, all_of, any_of

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
answers = some.lists(some.sampled_from(Answer), min_size=1)
RANK = {NO: 0, UNKNOWN: 1, YES: 2}  # Kleene's order of truth: AND is the minimum, OR the maximum


def not_(answer: Answer) -> Answer:
    """Kleene's NOT: what is not known stays not known."""
    return {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[answer]


@given(answers)
def test_and_is_the_least_true_and_or_the_most(given_answers: list[Answer]) -> None:
    """The tables of Kleene (1952, section 64), for any number of them."""
    assert RANK[all_of(given_answers)] == min(RANK[answer] for answer in given_answers)
    assert RANK[any_of(given_answers)] == max(RANK[answer] for answer in given_answers)


@given(answers)
def test_de_morgan_holds(given_answers: list[Answer]) -> None:
    """NOT of AND is OR of NOTs."""
    assert not_(all_of(given_answers)) is any_of(not_(answer) for answer in given_answers)
    assert not_(any_of(given_answers)) is all_of(not_(answer) for answer in given_answers)


@given(answers, some.lists(some.sampled_from([YES, NO])))
def test_learning_more_never_changes_a_settled_answer(given_answers: list[Answer], learnt: list[Answer]) -> None:
    """A YES or a NO stands, whatever the unknown ones turn out to be."""
    news = iter(learnt + [YES] * len(given_answers))
    later = [next(news) if answer is UNKNOWN else answer for answer in given_answers]
    for combined in (all_of, any_of):
        if combined(given_answers) is not UNKNOWN:
            assert combined(later) is combined(given_answers)


def test_of_nothing_nothing_is_known() -> None:
    """An empty fleet is not well."""
    assert all_of(()) is UNKNOWN
    assert any_of(()) is UNKNOWN


def test_not_turns_what_is_known_around() -> None:
    """And leaves the rest."""
    assert [not_(answer) for answer in (YES, NO, UNKNOWN)] == [NO, YES, UNKNOWN]
