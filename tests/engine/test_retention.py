"""Which backups are kept: for all clocks, orders and rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runbook.engine.backup.retention import LAST, Rule, judged
from runbook.model.backup import Backup

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def backup(number: int, when: datetime, **more: object) -> Backup:
    """One of a folder."""
    found = Backup(f"b{number}", number, node="n", kind="dual_memory", created_at=f"{when:%FT%T}.000000Z", level=2)
    return replace(found, **more)  # type: ignore[arg-type]  # the fields that a test names


@st.composite
def shelves(draw: st.DrawFn) -> list[Backup]:
    """Up to 40 backups of two nodes, made by clocks that jump."""
    moments = st.integers(-1000, 1000).map(lambda hours: NOW + timedelta(hours=7 * hours))
    return [
        backup(
            number + 1,
            draw(moments),
            node=draw(st.sampled_from("ab")),
            level=draw(st.sampled_from([None, 1, 2, 3])),
            pinned=draw(st.integers(0, 9)) == 0,
            damage=draw(st.sampled_from(["", "", "", "x"])),
        )
        for number in range(draw(st.integers(0, 40)))
    ]


rules = st.builds(Rule, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


def gone(shelf: list[Backup], rule: Rule, now: datetime = NOW) -> set[str]:
    """What would be removed."""
    return {each.backup.name for each in judged(shelf, rule, now) if not each.reasons}


@given(shelves(), rules)
def test_what_is_never_removed(shelf: list[Backup], rule: Rule) -> None:
    """The last verified of each node, the pinned, the damaged, the unverified, those of the future."""
    removed = gone(shelf, rule)
    for node in "ab":
        proven = [each for each in shelf if each.node == node and each.proven]
        assert not proven or max(proven, key=lambda each: each.order).name not in removed
    for each in shelf:
        if each.pinned or each.damage or not each.proven or each.created_at > f"{NOW:%FT%T}.000000Z":
            assert each.name not in removed


@given(shelves(), rules, st.integers(0, 10_000))
def test_a_clock_that_is_set_back_removes_nothing_more(shelf: list[Backup], rule: Rule, hours: int) -> None:
    """What is kept at a time is kept at each time before."""
    assert gone(shelf, rule, NOW - timedelta(hours=hours)) <= gone(shelf, rule)


@given(shelves(), rules, st.integers(0, 10_000))
def test_a_clock_that_jumps_ahead_ages_nothing(shelf: list[Backup], rule: Rule, hours: int) -> None:
    """Of what is not of the future, the same is removed however late it is."""
    past = [each for each in shelf if each.created_at <= f"{NOW:%FT%T}.000000Z"]
    assert gone(past, rule, NOW + timedelta(hours=hours)) == gone(past, rule)


@given(shelves(), rules)
def test_it_is_done_after_once(shelf: list[Backup], rule: Rule) -> None:
    """What was kept is kept when it is asked again."""
    left = [each for each in shelf if each.name not in gone(shelf, rule)]
    assert gone(left, rule) == set()


@given(shelves(), rules, rules)
def test_a_larger_rule_keeps_more(shelf: list[Backup], one: Rule, other: Rule) -> None:
    """Never less."""
    both = Rule(one.daily + other.daily, one.weekly + other.weekly, one.monthly + other.monthly)
    assert gone(shelf, both) <= gone(shelf, one)


def test_a_year_of_daily_backups() -> None:
    """The newest of each of 7 days, 4 weeks, 12 months; the newest of a day by its number."""
    shelf = [backup(number + 1, NOW - timedelta(days=364 - number // 2)) for number in range(730)]
    kept = [each for each in judged(shelf, Rule(), NOW) if each.reasons]
    assert [each.backup.number for each in kept[:7]] == [730, 728, 726, 724, 722, 720, 718]
    assert kept[0].reasons == (LAST, "day 1 of 7", "week 1 of 4", "month 1 of 12")
    assert 19 <= len(kept) <= 23
