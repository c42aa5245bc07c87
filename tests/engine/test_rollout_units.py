"""From rows to units: who is treated, who is compared, what counts as whose own time, and what is odd is told."""

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from cells_scene import AT, SALT, SINCE, SPACES, UNTIL, Traffic, group_of, moment, relabelled, rollout
from hypothesis import given
from hypothesis import strategies as st

from runbook.engine.judging.judgement import hindered, judge_stage, look_moments, rows_needed, stage_units
from runbook.engine.judging.span import Arms, arms_of, span_from, span_of
from runbook.engine.judging.units import Units
from runbook.model.assignment import STEPS, in_treatment
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.judgement import Metric, Path, Verdict
from runbook.model.measurement import Silence
from runbook.model.rollout import Entered, Rollout

NOW = 10_066.0


def units(rows: Iterable[Cell], of: Rollout | None = None, now: float = NOW) -> Units:
    """The units of the scene's stage; there are some."""
    found = stage_units(of or rollout(), sorted(rows, key=lambda cell: cell.bucket), now)
    assert found is not None
    return found


def path(found: Units, space: str, metric: Metric = Metric.LATENCY) -> Path:
    """That space's path."""
    return next(each for each in found.strata[metric].paths if each.space == space)


shares = st.integers(0, STEPS).map(lambda steps: steps / STEPS)


@given(st.text(min_size=1, max_size=20), shares, shares, st.text(max_size=5))
def test_who_was_moved_stays_moved_and_nobody_is_both(space: str, one: float, other: float, salt: str) -> None:
    """Raising the share only adds spaces; a unit is newly moved or not yet moved, as the nodes would have it."""
    before, share = min(one, other), max(one, other)
    arm = Arms(salt, before, share).arm(space)
    was = in_treatment(space, salt=salt, share=before)
    is_now = in_treatment(space, salt=salt, share=share)
    assert is_now or not was
    assert (arm == TREATMENT) == (is_now and not was)
    if arm == CONTROL:
        assert not is_now


@pytest.mark.parametrize(("before", "share"), [(0.0, 0.01), (0.0, 0.5), (0.25, 0.5), (0.05, 0.25), (0.5, 0.95)])
def test_control_is_as_large_a_part_of_the_hash_as_far_as_there_is_one(before: float, share: float) -> None:
    """Both arms have the same share of many spaces; above one half control is what is left."""
    arms = Arms("x", before, share)
    found = [arms.arm(f"s{number}") for number in range(20_000)]
    wanted = min(share - before, 1 - share)
    assert abs(found.count(TREATMENT) / 20_000 - (share - before)) < 0.012
    assert abs(found.count(CONTROL) / 20_000 - wanted) < 0.012


def test_at_a_whole_share_nobody_is_left_to_compare() -> None:
    """There is no concurrent control, so there is no data, and the reason names the validator."""
    judgement = judge_stage(rollout(0.5, 1.0, stage=1), Traffic(share=1.0).rows(), NOW)
    assert judgement.verdict is Verdict.NO_DATA
    assert "validator" in judgement.why


def test_named_spaces_are_no_units_and_are_not_called_wrong() -> None:
    """Spaces that are treated by name were not drawn by chance: in neither arm, and served as assigned."""
    named = next(space for space in SPACES if group_of(space) == CONTROL)
    rows = [relabelled(cell) if cell.space == named and cell.bucket >= SINCE else cell for cell in Traffic().rows()]
    found = units(rows, rollout(spaces=(named,)))
    assert named not in {each.space for each in found.strata[Metric.LATENCY].paths}
    assert found.blocked == ()
    assert found.spaces == len(SPACES)
    alone = judge_stage(rollout(0.0, spaces=(named,)), rows, NOW)
    assert (alone.verdict, "not drawn by chance" in alone.why) == (Verdict.NO_DATA, True)


def test_a_path_is_each_bucket_less_the_own_untreated_mean() -> None:
    """Differences from the space's own mean, one for each bucket that is over; the counts are those of the recalls."""
    found = units(Traffic(slower=0.5).rows())
    assert found.buckets == 30
    for space in SPACES:
        mine = path(found, space)
        shift = math.log(1.5) if group_of(space) == TREATMENT else 0.0
        assert mine.treated is (group_of(space) == TREATMENT)
        assert len(mine.differences) == 30
        assert mine.differences == pytest.approx([shift] * 30, abs=0.05)
        assert (mine.before, mine.after, mine.failed) == (500, 300, 0)


def test_what_lies_between_two_stages_is_neither() -> None:
    """Buckets from the beginning of the entering until the first whole one after it was read back are dropped."""
    rows = list(Traffic().rows())
    odd = [replace(cell, log_latency_sum=cell.n * 9.0) if UNTIL <= cell.bucket < SINCE else cell for cell in rows]
    assert units(rows) == units(odd)
    span = span_of(rollout())
    assert span is not None
    assert (span.until, span.since) == (UNTIL, SINCE)


def test_own_time_is_untreated_and_at_most_so_many_buckets() -> None:
    """What was served as treatment before the stage is nobody's own time; rows_needed says how far back it goes."""
    assert rows_needed(rollout()) == UNTIL - 168 * 2
    rows = list(Traffic().rows(9_500))
    assert path(units(rows), SPACES[0]).before == 168 * 10
    treated = [relabelled(cell) if cell.bucket < 9_900 else cell for cell in rows]
    assert path(units(treated), SPACES[0]).before == 50 * 10


def test_positive_is_worse_for_every_metric() -> None:
    """Slower, more errors, more of them slow and less confidence are all above zero."""
    space = next(each for each in SPACES if group_of(each) == TREATMENT)

    def worse(cell: Cell) -> Cell:
        if cell.space != space or cell.bucket < SINCE:
            return cell
        return replace(
            cell, log_latency_sum=cell.n * 5.0, errors=5, over_slo=cell.n, confidence_sum=cell.confidence_n * 0.1
        )

    found = units(map(worse, Traffic().rows()))
    for metric in Metric:
        assert path(found, space, metric).differences[0] > 0.1
    assert path(found, space, Metric.ERRORS).differences[0] == pytest.approx(5 / 15)
    assert path(found, space, Metric.CONFIDENCE).differences[0] == pytest.approx(0.7)
    assert (path(found, space, Metric.ERRORS).after, path(found, space, Metric.LATENCY).after) == (450, 300)
    assert path(found, space).failed == 150


def test_silence_is_nan_and_the_space_stays_a_unit() -> None:
    """A space that says nothing for a while, or since the stage began, is not left out: its buckets are NaN."""
    quiet, gone = SPACES[0], SPACES[1]
    rows = [
        cell
        for cell in Traffic().rows()
        if not (cell.space == quiet and 10_010 <= cell.bucket < 10_014)
        and not (cell.space == gone and cell.bucket > AT)
    ]
    found = units(rows)
    assert [math.isnan(each) for each in path(found, quiet).differences[:5]] == [False, False, True, True, False]
    assert all(map(math.isnan, path(found, gone).differences))
    assert path(found, gone).after == 0


def test_only_failures_are_silence_but_for_the_errors() -> None:
    """Where every recall fails there is no latency, which is NaN and not fast; the errors are all of them."""
    found = units(Traffic(failing=1.0).rows())
    space = next(each for each in SPACES if group_of(each) == TREATMENT)
    assert all(map(math.isnan, path(found, space).differences))
    assert path(found, space, Metric.ERRORS).differences == pytest.approx([1.0] * 30)


def test_finer_buckets_of_nodes_add_up() -> None:
    """A plan's bucket is the sum of the nodes' buckets in it, whatever their length."""
    fine, coarse = rollout(bucket=4), rollout(bucket=4)
    one = units(Traffic(seconds=1).rows(), fine, 10_060.0)
    two = units(Traffic(seconds=2, recalls=20).rows(), coarse, 10_060.0)
    assert one.buckets == two.buckets == 13
    assert path(one, SPACES[0]).before == path(two, SPACES[0]).before
    assert path(one, SPACES[0]).differences == pytest.approx(path(two, SPACES[0]).differences, abs=0.05)


def test_buckets_that_do_not_divide_block_and_are_not_counted() -> None:
    """A node that counts in 3 s under a plan of 2 s cannot be added up: told with both lengths, nothing is safe."""
    odd = [replace(cell, seconds=3) if cell.node == "n1" and cell.bucket > AT else cell for cell in Traffic().rows()]
    found = units(odd)
    assert any("n1 counts in buckets of 3 s" in each for each in found.blocked)
    assert judge_stage(rollout(), odd, NOW).verdict is not Verdict.SAFE
    before = [replace(cell, seconds=3) if cell.bucket < 9_910 else cell for cell in Traffic().rows()]
    assert units(before).blocked == ()
    assert any("before the stage" in each for each in units(before).told)


def test_a_row_that_is_read_twice_counts_once() -> None:
    """Of two readings of a row that which counts more recalls is it: rows only grow."""
    rows = list(Traffic().rows())
    early = [replace(cell, n=1, log_latency_sum=9.0) for cell in rows]
    assert units([*rows, *rows]) == units([*early, *rows]) == units([*rows, *early]) == units(rows)


def test_rows_out_of_order_are_a_mistake_of_the_caller() -> None:
    """What cannot be counted in one pass is refused and not miscounted."""
    with pytest.raises(ValueError, match="not ordered"):
        stage_units(rollout(), reversed(list(Traffic().rows())), NOW)


def test_only_what_is_over_counts() -> None:
    """The bucket that runs is left out, so the same rows and moment give the same judgement whenever it is made."""
    rows = list(Traffic().rows(end=10_120))
    assert units(rows, now=NOW) == units([cell for cell in rows if cell.bucket < NOW], now=NOW)
    assert units(rows, now=10_067.9).buckets == 30
    assert units(rows, now=10_068.0).buckets == 31


def test_another_group_than_assigned_is_told_and_blocks() -> None:
    """A router that serves two spaces otherwise: node, spaces and recalls are named, and nothing is safe on it."""
    moved = [space for space in SPACES if group_of(space) == TREATMENT][:2]
    rows = [relabelled(cell) if cell.space in moved and cell.bucket >= SINCE else cell for cell in Traffic().rows()]
    found = units(rows)
    assert len(found.blocked) == len({SPACES.index(space) % 3 for space in moved})
    assert all("as control, assigned to treatment" in each for each in found.blocked)
    assert any(moved[0] in each for each in found.blocked)
    judgement = judge_stage(rollout(), rows, NOW)
    assert (judgement.verdict, judgement.blocked) == (Verdict.INCONCLUSIVE, found.blocked)
    assert judge_stage(rollout(), Traffic().rows(), NOW).verdict is Verdict.SAFE


def test_a_node_whose_clock_is_off_by_a_bucket_is_not_called_wrong() -> None:
    """In the first bucket of a stage a node may still tell of the group of before; those rows are no units'."""
    late = [relabelled(cell) if cell.bucket == SINCE and cell.group == TREATMENT else cell for cell in Traffic().rows()]
    found = units(late)
    assert found.blocked == ()
    space = next(each for each in SPACES if group_of(each) == TREATMENT)
    assert math.isnan(path(found, space).differences[0])


def test_rows_of_the_future_are_left_out_and_told() -> None:
    """A node whose clock is an hour ahead says nothing about now."""
    rows = list(Traffic().rows())
    future = [Traffic().cell(SPACES[0], 13_600, node="n0")]
    found = units([*rows, *future])
    assert replace(found, told=()) == units(rows)
    assert any("n0 tells of recalls 3534 s from now" in each for each in found.told)


def test_a_node_that_went_quiet_blocks() -> None:
    """Silent for more than three buckets, or its clock went back: nothing is promoted without it."""
    rows = [cell for cell in Traffic().rows() if cell.node != "n2" or cell.bucket < 10_050]
    found = units(rows)
    assert [each.split(" since")[0] for each in found.blocked] == ["n2 has told of no recall"]
    assert "16 s ago" in found.blocked[0]


def test_a_node_whose_spaces_have_all_moved_is_not_waited_for() -> None:
    """It is gone, and its spaces are heard of elsewhere; while one of them is not, it is silent."""

    def moving(left_behind: str) -> Units:
        gone = [cell for cell in Traffic().rows() if not (cell.space == left_behind and cell.bucket >= 10_040)]
        return units(replace(cell, node="n0") if cell.node == "n2" and cell.bucket >= 10_040 else cell for cell in gone)

    assert moving("").blocked == ()
    assert [each.split(" since")[0] for each in moving(SPACES[2]).blocked] == ["n2 has told of no recall"]


def test_a_space_that_moved_to_another_node_is_still_one_unit() -> None:
    """Its rows of both nodes add up, its own time is that of the first, and the move is told."""
    rows = [
        replace(cell, node="n9") if cell.space == SPACES[0] and cell.bucket > 10_030 else cell
        for cell in Traffic().rows()
    ]
    found = units(rows)
    assert path(found, SPACES[0]) == path(units(Traffic().rows()), SPACES[0])
    assert any("space-000" in each and "n9" in each for each in found.told)


def test_a_space_without_time_before_is_no_unit() -> None:
    """There is nothing to compare a new space with; it is told, and the others are judged without it."""
    rows = [cell for cell in Traffic().rows() if cell.space != SPACES[3] or cell.bucket > AT]
    found = units(rows)
    assert SPACES[3] not in {each.space for each in found.strata[Metric.LATENCY].paths}
    assert any(SPACES[3] in each for each in found.told)


def test_a_whale_is_one_space_and_its_share_of_the_traffic_is_told() -> None:
    """One space with 90 % of the recalls: as one unit among the others, and both shares stand in the units."""
    whale = next(space for space in SPACES if group_of(space) == TREATMENT)
    rows = [
        replace(cell, n=cell.n * 531, log_latency_sum=cell.log_latency_sum * 531) if cell.space == whale else cell
        for cell in Traffic().rows()
    ]
    found = units(rows)
    assert found.share_of_traffic > 0.9
    assert found.share_of_spaces == len([each for each in SPACES if group_of(each) == TREATMENT]) / 60
    assert path(found, whale).differences == pytest.approx(path(units(Traffic().rows()), whale).differences)


def test_two_spaces_in_all_decide_nothing() -> None:
    """One space an arm, ten times slower: no draw of chance could have said it, so it is neither safe nor harm."""
    pair = (
        next(space for space in SPACES if group_of(space) == TREATMENT),
        next(space for space in SPACES if group_of(space) == CONTROL),
    )
    judgement = judge_stage(rollout(), Traffic(slower=9.0, spaces=pair).rows(), NOW)
    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_the_first_sight_of_each_space_is_counted_once() -> None:
    """For the ratio of the arms: by the bucket in which a space was first seen in the stage, as it was served."""
    rows = [cell for cell in Traffic().rows() if cell.space != SPACES[0] or not SINCE <= cell.bucket < SINCE + 4]
    found = units(rows)
    treated = sum(group_of(space) == TREATMENT for space in SPACES)
    assert sum(as_treatment for _, as_treatment in found.sighted) == treated
    assert [bucket for bucket, _ in found.sighted] == [0] * 59 + [2]
    assert found.sighted[-1] == (2, group_of(SPACES[0]) == TREATMENT)
    assert found.expected_share == 0.5


def test_twenty_percent_slower_is_harm_and_nothing_changed_is_safe() -> None:
    """The whole way, from rows to the verdict, with sixty spaces and a minute of buckets."""
    assert judge_stage(rollout(), Traffic(slower=0.20).rows(), NOW).verdict is Verdict.HARM
    assert judge_stage(rollout(), Traffic().rows(), NOW).verdict is Verdict.SAFE


def test_no_rows_at_all_are_no_data() -> None:
    """Silence is never safe."""
    judgement = judge_stage(rollout(), [], NOW)
    assert judgement.verdict is Verdict.NO_DATA


def test_the_looks_are_spread_over_the_hold() -> None:
    """As many as fit between, and the last one within the shortest time that the stage takes."""
    of = rollout(hold=60, look_every=20)
    span = span_of(of)
    assert span is not None
    assert span.looks == (10, 19, 29)
    assert look_moments(of)[-1] <= AT + 60
    assert span_of(rollout(hold=0, look_every=20)) is not None


@given(st.floats(2e9, 3e9), st.integers(1, 3600), st.integers(0, 500), st.integers(1, 500))
def test_looks_rise_and_keep_to_the_shortest_time(at: float, bucket: int, hold: int, every: int) -> None:
    """Whenever a stage is entered: own time ends before it, its looks rise, and the last is not after the hold."""
    of = rollout(hold=float(hold * bucket), look_every=float(every * bucket), bucket=float(bucket))
    span = span_from(Entered(0, moment(at), 1, "run", moment(at - 1)), of.current, bucket)
    assert span.own < span.until <= at - 0.9 <= at <= span.since + 0.001 < at + bucket + 0.01
    assert list(span.looks) == sorted(set(span.looks))
    assert span.looks[0] >= 1
    assert len(span.looks) <= max(1, hold // every)
    assert span.moments()[-1] <= at + max(hold, every, 2) * bucket + 0.01


def test_a_stage_that_is_not_entered_or_has_no_whole_bucket_is_told() -> None:
    """Each has its reason, and none is a verdict."""
    entering = replace(rollout(0.25, 0.5, stage=1), entered=(Entered(0, moment(10), 1, "run"),))
    assert "not entered" in judge_stage(entering, [], NOW).why
    assert "whole seconds" in judge_stage(rollout(bucket=0.5), [], NOW).why
    assert "no bucket" in judge_stage(rollout(), [], SINCE + 1.0).why


def test_only_newly_moved_spaces_are_units_of_a_later_stage() -> None:
    """From 25 to 50 %: who was treated before is in no arm; control is the top quarter of the hash."""
    arms = arms_of(rollout(0.25, 0.5, stage=1))
    found = {space: arms.arm(space) for space in SPACES}
    old = [space for space in SPACES if in_treatment(space, salt=SALT, share=0.25)]
    assert old
    assert all(found[space] is None for space in old)
    assert {TREATMENT, CONTROL} <= set(found.values())


def test_an_arm_that_is_not_as_it_was_assigned_blocks() -> None:
    """Most spaces of the treatment are never heard of: the ratio says so, and nothing is safe on what is left."""
    treated = [space for space in SPACES if group_of(space) == TREATMENT]
    lost = set(treated[: len(treated) * 3 // 4 + 3])
    judgement = judge_stage(rollout(), [cell for cell in Traffic().rows() if cell.space not in lost], NOW)
    assert judgement.mismatch is not None
    assert (judgement.mismatch.blocks, judgement.mismatch.expected_share) == (True, 0.5)
    assert judgement.mismatch.arithmetic.endswith("it began in the bucket of 1970-01-01T02:46:46Z")
    assert judgement.verdict is not Verdict.SAFE
    sound = judge_stage(rollout(), Traffic().rows(), NOW)
    assert sound.mismatch is not None
    assert not sound.mismatch.blocks


def test_a_silent_node_takes_safe_away_and_leaves_harm() -> None:
    """What could not be asked now might have said otherwise; harm that was proved stays harm."""
    silent = (Silence("n1", "connection refused"),)
    safe = hindered(judge_stage(rollout(), Traffic().rows(), NOW), silent)
    assert (safe.verdict, "n1 could not be asked: connection refused" in safe.why) == (Verdict.INCONCLUSIVE, True)
    assert hindered(judge_stage(rollout(), Traffic(slower=0.2).rows(), NOW), silent).verdict is Verdict.HARM


def test_a_stage_that_was_entered_in_vain_leaves_a_word_and_no_block() -> None:
    """Another group for a moment, long ago and in few recalls, is told; it blocks while it lasts, or if it was much."""
    space = next(each for each in SPACES if group_of(each) == CONTROL)

    def odd(begin: int, end: int) -> Units:
        return units(
            relabelled(cell) if cell.space == space and begin <= cell.bucket < end else cell
            for cell in Traffic().rows()
        )

    past, present, much = odd(10_020, 10_024), odd(10_060, 10_066), odd(10_010, 10_050)
    assert (past.blocked, len(past.told)) == ((), 1)
    assert (len(present.blocked), present.told) == (1, ())
    assert (len(much.blocked), much.told) == (1, ())


@given(st.data())
def test_how_rows_are_spread_over_nodes_and_finer_buckets_does_not_matter(data: st.DataObject) -> None:
    """Sums are sums: a row cut in two, on two nodes or in two buckets of a second, gives the same units."""
    rows = list(Traffic(spaces=SPACES[:4], recalls=8).rows(9_990, 10_016))
    cut: list[Cell] = []
    for cell in rows:
        part = data.draw(st.integers(1, cell.n - 1))
        ratio, later = part / cell.n, data.draw(st.booleans())
        one, other = _part(cell, part, ratio), _part(cell, cell.n - part, 1 - ratio)
        cut += (
            [replace(one, seconds=1), replace(other, seconds=1, bucket=cell.bucket + 1)]
            if later
            else [
                one,
                replace(other, node="other"),
            ]
        )
    whole, parts = units(rows, now=10_016.0), units(cut, now=10_016.0)
    for metric in Metric:
        for one, other in zip(whole.strata[metric].paths, parts.strata[metric].paths, strict=True):
            assert other.differences == pytest.approx(one.differences, abs=1e-9)
            assert (other.space, other.treated, other.before, other.after) == (
                one.space,
                one.treated,
                one.before,
                one.after,
            )
    assert (parts.recalls, parts.treated_recalls, parts.sighted) == (
        whole.recalls,
        whole.treated_recalls,
        whole.sighted,
    )


def _part(cell: Cell, n: int, ratio: float) -> Cell:
    """So many of the row's recalls, with their part of its sums."""
    return replace(
        cell,
        n=n,
        log_latency_sum=cell.log_latency_sum * ratio,
        log_latency_sum_squares=cell.log_latency_sum_squares * ratio,
        confidence_n=n,
        confidence_sum=cell.confidence_sum * ratio,
        confidence_sum_squares=cell.confidence_sum_squares * ratio,
    )
