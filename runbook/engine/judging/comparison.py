"""What `abtest report` tells: the judgement, and beside it what is for people and decides nothing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runbook.engine.judging.assigned import Regime
from runbook.engine.judging.collect import Collected
from runbook.engine.judging.judgement import hindered, judge_stage_units
from runbook.engine.judging.own_rate import Rows, judge_own_rate
from runbook.engine.judging.units import Tail, Units
from runbook.model.access import AccessReport
from runbook.model.cells import Cell
from runbook.model.judgement import Judgement, Metric
from runbook.model.measurement import Silence
from runbook.model.rollout import Judging, Rollout


@dataclass(frozen=True, slots=True)
class Ratio:
    """Treatment's p99 over control's, with the ends of its interval; infinite and zero with too few spaces."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One report. `rollout` is the id of the one that is running, None without one; `share` None: not known."""

    target: str
    rollout: str | None
    share: float | None
    judgement: Judgement
    units: Units | None
    ratio: Ratio | None
    silent: tuple[Silence, ...]
    access: AccessReport | None = None

    @property
    def arms(self) -> tuple[int, int]:
        """How many spaces are units of treatment, and of control."""
        if self.units is None:
            return 0, 0
        stratum = self.units.strata[Metric.LATENCY]
        return stratum.treated, stratum.controls


def compare_stage(rollout: Rollout, rows: Iterable[Cell], now: float, collected: Collected) -> Comparison:
    """The stage of a rollout. `now` is in seconds since 1970, from before the rows were collected."""
    judgement, units = judge_stage_units(rollout, rows, now)
    return _told(rollout.target, rollout.id, rollout.current.share, judgement, units, collected)


def compare_own_rate(
    target: str, rows: Rows, regime: Regime | None, judging: Judging, now: float, collected: Collected
) -> Comparison:
    """The nodes' own share, where no rollout is running."""
    judgement, units = judge_own_rate(rows, regime, judging, now)
    return _told(target, None, None if regime is None else regime.share, judgement, units, collected)


def with_access(found: Comparison, access: AccessReport) -> Comparison:
    """With what the access logs of the splitters say: a split that was not kept makes `safe` inconclusive."""
    judgement = found.judgement
    blocked = replace(judgement, blocked=(*judgement.blocked, *access.blocks))
    return replace(found, judgement=hindered(blocked), access=access)


def _told(
    target: str, rollout: str | None, share: float | None, found: Judgement, units: Units | None, collected: Collected
) -> Comparison:
    judgement = hindered(found, collected.silent, collected.told)
    return Comparison(target, rollout, share, judgement, units, _ratio(units), collected.silent)


def _ratio(units: Units | None) -> Ratio | None:
    if units is None:
        return None
    from runbook.statistics.bootstrap import Moments, p99_ratio  # noqa: PLC0415  # numpy, for those who judge

    def arm(*, treated: bool) -> list[Moments]:
        return [_moments(tail) for tail in units.tails if tail.treated is treated]

    def _moments(tail: Tail) -> Moments:
        return Moments(tail.n, tail.total, tail.squares)

    found = p99_ratio(arm(treated=True), arm(treated=False), units.strata[Metric.LATENCY].seed)
    return None if found is None else Ratio(found.value, found.low, found.high)
