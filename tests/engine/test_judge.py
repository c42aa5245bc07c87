"""The judge's verdicts, on what has gone wrong elsewhere and what may go wrong here."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from runbook.engine.judging.judge import judge
from runbook.model.judgement import Guardrail, Judged, Judgement, Method, Metric, Path, Stratum, Verdict
from runbook.model.rollout import Judging

DAILY = tuple(range(24, 337, 24))
LATENCY, ERRORS, SLOW = Guardrail(Metric.LATENCY, 0.10), Guardrail(Metric.ERRORS, 0.01), Guardrail(Metric.SLOW, 0.01)
NAN = math.nan


def stratum(  # noqa: PLR0913  the parts of a stratum
    treated: Sequence[Sequence[float]],
    controls: Sequence[Sequence[float]],
    metric: Metric = Metric.LATENCY,
    looks: tuple[int, ...] = (1,),
    *,
    recalls: int = 200,
    failed: int = 0,
    before: int = 200,
) -> Stratum:
    """One value a bucket for each space, and as many recalls for each."""
    rows = [(True, row) for row in treated] + [(False, row) for row in controls]
    paths = tuple(
        Path(f"space-{number}", mine, tuple(row), before, recalls, failed) for number, (mine, row) in enumerate(rows)
    )
    return Stratum("canary", metric, 3600.0, paths, looks, "seed")


def once(values: Sequence[float]) -> list[list[float]]:
    """Each space in a single bucket."""
    return [[value] for value in values]


def fleet(shift: float, spaces: int, hours: int, looks: tuple[int, ...] = DAILY, silent: int = 0) -> Stratum:
    """Spaces that differ by 10 % and whose hours do, too; treatment is slower by a share, some of it is silent."""
    chance = np.random.default_rng(21)
    values = chance.normal(0, 0.1, (2 * spaces, 1)) + chance.normal(0, 0.1, (2 * spaces, hours))
    values[:spaces] += math.log1p(shift)
    values[:silent] = NAN
    return stratum(values[:spaces].tolist(), values[spaces:].tolist(), looks=looks)


def judged_by(guardrails: Sequence[Guardrail], *strata: Stratum) -> Judgement:
    """At one look, a day between two."""
    return judge("canary", strata, Judging(tuple(guardrails), timedelta(hours=24)))


def the_one(found: Judgement) -> Judged:
    """The judgement of the only guardrail."""
    assert len(found.judged) == 1
    return found.judged[0]


def test_seven_of_ten_a_hundredfold_do_not_pass() -> None:
    """[100] * 7 + [1] * 3 against [1] * 10: a popular judge says Pass. Chance does so in one of 645 draws: harm."""
    found = judged_by([LATENCY], stratum(once([math.log(100)] * 7 + [0.0] * 3), once([0.0] * 10)))
    assert found.verdict is Verdict.HARM
    estimate = the_one(found).estimate
    assert estimate is not None
    assert estimate.p_harm < 0.01


def test_a_few_against_zeros_is_too_little() -> None:
    """[0, 1, 2, 1, 0, 0] against zeros: in 84 of 924 draws all of them are on one side, so nobody knows."""
    found = judged_by([LATENCY], stratum(once([0, 1, 2, 1, 0, 0]), once([0] * 6)))
    assert found.verdict is Verdict.INCONCLUSIVE
    estimate = the_one(found).estimate
    assert estimate is not None
    assert estimate.p_harm == pytest.approx(84 / 924)


def test_every_measurement_an_error_is_no_success() -> None:
    """Both arms fail throughout: no latency, equal errors. Errors alone would be equal to the last recall."""
    silent = stratum(once([NAN] * 40), once([NAN] * 40), recalls=0, failed=200)
    failing = stratum(once([0.9] * 40), once([0.9] * 40), Metric.ERRORS, recalls=200, failed=200)
    both = judged_by([LATENCY, ERRORS], silent, failing)
    alone = judged_by([ERRORS], failing)
    assert [one.verdict for one in both.judged] == [Verdict.NO_DATA, Verdict.INCONCLUSIVE]
    assert (both.verdict, alone.verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert both.judged[0].sentence == (
        "No data on latency: none of 40 treatment spaces reports, all of their 8000 recalls failed. Hold, or roll back."
    )
    assert "100 % of an arm's recalls fail: what is left proves nothing" in the_one(alone).sentence


def test_treatment_that_fails_where_control_does_not_is_harm_by_errors() -> None:
    """Latency has nothing to say, errors have."""
    silent = stratum(once([NAN] * 8), once([0.0] * 8))
    failing = stratum(once([1.0] * 8), once([0.0] * 8), Metric.ERRORS)
    found = judged_by([LATENCY, ERRORS], silent, failing)
    assert found.verdict is Verdict.HARM
    assert found.why == "harm to errors"


def test_two_spaces_in_all_are_too_few() -> None:
    """One an arm, twice as slow: inconclusive, and why."""
    one = the_one(judged_by([LATENCY], stratum([[0.7] * 24], [[0.0] * 24], looks=(24,))))
    assert one.verdict is Verdict.INCONCLUSIVE
    assert "1 and 1 spaces can be drawn in 2 ways, so chance alone is never under 50 %" in one.sentence


def test_the_sentence_of_the_design() -> None:
    """Slower, not proved under the margin, how many report, how long to hold: sixty-three hours of one a day."""
    spread = [0.015 * place for place in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)]
    treated = [*([0.06 + value] * 63 for value in spread), [NAN] * 63]
    slower = stratum(treated, [[value] * 63 for value in spread], looks=(24, 48, 72, 96))
    one = the_one(judged_by([Guardrail(Metric.LATENCY, 0.10, harm_margin=0.05)], slower))
    assert one.sentence == (
        "Treatment is 6.2 % slower (2.3 %..10 %), 12 of 13 spaces reporting. Not proved under +10 %. "
        "Hold 9 more hours or roll back."
    )
    assert (one.verdict, one.reporting, one.spaces) == (Verdict.INCONCLUSIVE, 12, 13)
    assert one.left == timedelta(hours=9)


def test_nothing_changed_is_proved_safe() -> None:
    """Sixty spaces an arm, two days, no difference: both methods, half of alpha each."""
    one = the_one(judged_by([LATENCY], fleet(0.0, 60, 48)))
    assert (one.verdict, one.worse) == (Verdict.SAFE, False)
    assert one.estimate is not None
    assert one.estimate.method is Method.BOTH
    assert "Proved under +10 %." in one.sentence
    assert "randomisation test" in one.arithmetic
    assert "confidence sequence" in one.arithmetic


def test_slower_within_the_margin_is_safe_and_told() -> None:
    """A bound above zero and one below the margin: it may go on, and nobody is left in the dark."""
    one = the_one(judged_by([Guardrail(Metric.LATENCY, 0.25)], fleet(0.08, 60, 200)))
    assert (one.verdict, one.worse) == (Verdict.SAFE, True)
    assert "Worse, within the margin of +25 %." in one.sentence


def test_harm_is_found_between_looks_with_many_spaces() -> None:
    """20 % slower, five hours old, the first look after a day: the sequence says so now."""
    one = the_one(judged_by([LATENCY], fleet(0.20, 60, 5)))
    assert one.verdict is Verdict.HARM
    assert one.estimate is not None
    assert (one.estimate.method, one.estimate.look) == (Method.SEQUENCE, 0)
    assert "Proved worse. Roll back." in one.sentence


def test_before_the_first_look_few_spaces_wait() -> None:
    """Twenty per cent slower is not judged before the look that alpha is spent on."""
    one = the_one(judged_by([LATENCY], fleet(0.20, 10, 5)))
    assert one.verdict is Verdict.INCONCLUSIVE
    assert "The next planned look is after 1 day. Hold 19 more hours or roll back." in one.sentence
    assert one.left == timedelta(hours=19)


def test_all_looks_taken_is_told() -> None:
    """Nothing more to spend: a longer stage, more spaces, or back."""
    one = the_one(judged_by([LATENCY], fleet(0.08, 10, 24, looks=(12, 24))))
    assert one.verdict is Verdict.INCONCLUSIVE
    assert one.left is None
    assert "All planned looks are taken" in one.sentence


def test_few_recalls_hide_failures() -> None:
    """No failure in any space: with 200 recalls a space that proves it, with two it does not."""
    calm = [[0.0] * 24 for _ in range(40)]
    many, few = (
        the_one(judged_by([ERRORS], stratum(calm, calm, Metric.ERRORS, (24,), recalls=recalls))) for recalls in (200, 2)
    )
    assert (many.verdict, few.verdict) == (Verdict.SAFE, Verdict.INCONCLUSIVE)


def test_harm_needs_holm_over_all_guardrails() -> None:
    """What is worse by itself, but not among three, holds the stage and rolls nothing back."""
    slow = stratum(once([3, 4, 5, 6, 7]), once([0, 1, 2, 3.5, 4.5]))
    calm = [stratum(once([0.0] * 5), once([0.0] * 5), metric) for metric in (Metric.ERRORS, Metric.SLOW)]
    alone, among = judged_by([LATENCY], slow), judged_by([LATENCY, ERRORS, SLOW], slow, *calm)
    assert (alone.verdict, among.judged[0].verdict) == (Verdict.HARM, Verdict.INCONCLUSIVE)
    assert "Worse by itself, but not by Holm's procedure" in among.judged[0].sentence


def test_all_guardrails_must_be_safe() -> None:
    """A metric that nobody measured keeps the others from promoting."""
    safe = fleet(0.0, 60, 48)
    assert judged_by([LATENCY], safe).verdict is Verdict.SAFE
    both = judged_by([LATENCY, ERRORS], safe)
    assert both.verdict is not Verdict.SAFE
    assert both.judged[1].verdict is Verdict.NO_DATA
    assert judged_by([]).verdict is Verdict.NO_DATA


def test_a_whale_is_one_space_and_told() -> None:
    """Nine tenths of the traffic, one unit of sixty: its 100 % more does not make the arm slower, people hear of it."""
    calm = fleet(0.0, 60, 48)
    first, *rest = calm.paths
    whale = Path("whale", first.treated, tuple(value + math.log(2) for value in first.differences), 10**6, 10**6)
    found = judged_by([LATENCY], Stratum(calm.stage, calm.metric, 3600.0, (whale, *rest), calm.looks, calm.seed))
    assert found.verdict is Verdict.SAFE
    assert found.told == ("whale has 99 % of the treatment arm's recalls, and counts as one space of 60",)


def test_an_arm_that_falls_silent_is_told_of() -> None:
    """Ten of thirty treated spaces stop answering after a day, no control space: nobody overlooks it."""
    calm = fleet(0.0, 30, 48)
    gone = [
        replace(path, differences=(*path.differences[:24], *[NAN] * 24)) if number < 10 else path
        for number, path in enumerate(calm.paths)
    ]
    found = judged_by([LATENCY], replace(calm, paths=tuple(gone)))
    (told,) = found.told
    assert told == (
        "10 of 30 treatment and 0 of 30 control spaces have answered before, and in none of the last 3 buckets: "
        "those that are left may not be alike"
    )
    assert judged_by([LATENCY], calm).told == ()


def test_spaces_without_a_time_before_are_silent() -> None:
    """There is nothing to take off their values, so they compare with nothing."""
    found = judged_by([LATENCY], stratum(once([0.5] * 8), once([0.0] * 8), before=0))
    assert found.verdict is Verdict.NO_DATA


def test_what_is_no_number_is_silence() -> None:
    """Infinity, or 1e308, in one bucket neither harms nor proves; the space's other buckets count."""
    broken = stratum([[math.inf, 0.0], [1e308, 0.0]] * 4, [[0.0, -math.inf]] * 8, looks=(2,))
    one = the_one(judged_by([LATENCY], broken))
    assert one.estimate is not None
    assert one.estimate.value == 0.0
    assert one.reporting == 16


def test_the_same_data_give_the_same_judgement() -> None:
    """Nothing is drawn by the clock, and the order of guardrails does not matter to any of them."""
    one, again = (judged_by([LATENCY, ERRORS], fleet(0.05, 20, 60)) for _ in range(2))
    assert one == again


def test_confidence_and_errors_are_told_in_their_own_units() -> None:
    """Per cent is for latency; shares are points, confidence is itself."""
    chance = np.random.default_rng(2)
    noise = chance.normal(0, 0.01, (40, 1))
    worse = stratum((noise[:20] + 0.05).tolist(), noise[20:].tolist(), Metric.CONFIDENCE)
    failing = stratum((noise[:20] + 0.05).tolist(), noise[20:].tolist(), Metric.ERRORS)
    assert (
        "Treatment is 0.049 less confident (0.0"
        in the_one(judged_by([Guardrail(Metric.CONFIDENCE, 0.02)], worse)).sentence
    )
    assert "Treatment fails 4.9 points more (4." in the_one(judged_by([ERRORS], failing)).sentence


def test_what_has_changed_since_the_last_look_is_not_held_against_now() -> None:
    """Much slower for a day, much faster for four hours and by far more: the look of the day is out of date."""
    slower = fleet(0.20, 60, 24, looks=(24, 48))
    paths = tuple(replace(path, differences=(*path.differences, *[-3.0 * path.treated] * 4)) for path in slower.paths)
    one = the_one(judged_by([LATENCY], replace(slower, paths=paths)))
    assert one.estimate is not None
    assert one.estimate.low < one.estimate.value < one.estimate.high < 0
    assert one.verdict is Verdict.SAFE


def test_how_long_to_hold_is_a_guess_by_the_square_root_of_the_time() -> None:
    """2 % slower now, two looks of twenty: as it is it would not settle, with none it would; so until the last."""
    spread = [0.4 * (place - 7.5) / 15 for place in range(16)]
    treated, controls = [[0.02 + value] * 12 for value in spread], [[value] * 12 for value in spread]
    guardrail = Guardrail(Metric.LATENCY, 0.05)
    many, few = (
        the_one(judged_by([guardrail], stratum(treated, controls, looks=tuple(range(6, last, 6)))))
        for last in (121, 13)
    )
    assert many.left == timedelta(hours=108)
    assert few.left is None
