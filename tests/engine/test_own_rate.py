"""Without a rollout: what the nodes' own share does, judged at one look."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from cells_scene import GUARDRAILS, SALT, SPACES, Traffic, group_of, relabelled

from runbook.engine.judging.assigned import Regime
from runbook.engine.judging.own_rate import AS_THEY_ARE, judge_own_rate
from runbook.engine.judging.units import Units
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.judgement import Judgement, Metric, Verdict
from runbook.model.rollout import Judging

NOW = 10_066.0
JUDGING = Judging(GUARDRAILS, timedelta(seconds=20))
HALF = Regime(SALT, 0.5)


def judged(rows: Iterable[Cell], regime: Regime | None = HALF) -> tuple[Judgement, Units | None]:
    """What is said of these rows."""
    kept = list(rows)
    return judge_own_rate(lambda: kept, regime, JUDGING, NOW)


def test_since_when_the_nodes_assign_so_is_read_off_the_rows() -> None:
    """The last bucket of another assignment ends own time; from then on every space is in an arm."""
    judgement, units = judged(Traffic(slower=0.2).rows())
    assert judgement.verdict is Verdict.HARM
    assert units is not None
    stratum = units.strata[Metric.LATENCY]
    treated = sum(group_of(space) == TREATMENT for space in SPACES)
    assert (stratum.treated, stratum.controls) == (treated, len(SPACES) - treated)
    assert units.buckets == 31
    assert all(path.before == 520 for path in stratum.paths)
    assert any("one look" in each for each in judgement.told)
    assert judged(Traffic().rows())[0].verdict is Verdict.SAFE


def test_without_untreated_time_the_spaces_are_compared_as_they_are() -> None:
    """It is said, since it sees less: the spaces differ from each other far more than a space from itself."""
    judgement, units = judged(cell for cell in Traffic().rows() if cell.bucket >= 10_004)
    assert units is not None
    assert units.strata[Metric.LATENCY].treated + units.strata[Metric.LATENCY].controls == len(SPACES)
    assert any(AS_THEY_ARE in each for each in judgement.told)
    assert judgement.verdict in {Verdict.SAFE, Verdict.INCONCLUSIVE}


def test_a_share_of_all_or_nothing_is_no_comparison() -> None:
    """Each has its reason, and no rows are no data either."""
    all_of_them = [relabelled(cell) if cell.group == CONTROL else cell for cell in Traffic().rows()]
    whole, none = judged(all_of_them, Regime(SALT, 1.0)), judged(Traffic(share=0.0).rows(), Regime(SALT, 0.0))
    silent, apart = judged([]), judged(Traffic().rows(), None)
    assert [each[0].verdict for each in (whole, none, silent, apart)] == [Verdict.NO_DATA] * 4
    assert "validator" in whole[0].why
    assert "no space was moved" in none[0].why
    assert "no recall" in silent[0].why
    assert "do not agree" in apart[0].why


def test_nodes_that_serve_otherwise_than_they_are_set_never_come_to_a_verdict() -> None:
    """A node that accepts the share and ignores it is no comparison: its last wrong bucket is always the last one."""
    ignoring = [replace(cell, group=CONTROL) for cell in Traffic().rows()]
    assert judged(ignoring)[0].verdict is Verdict.NO_DATA


def test_a_long_time_is_judged_in_longer_buckets() -> None:
    """There are never more buckets than own time may have, whatever the nodes' own are."""
    rows = list(Traffic(spaces=SPACES[:8], recalls=2).rows(8_000))
    treated_long = [replace(cell, group=group_of(cell.space)) for cell in rows]
    _, units = judged(treated_long)
    assert units is not None
    assert units.buckets <= 168
    assert units.strata[Metric.LATENCY].bucket_seconds == 14.0
