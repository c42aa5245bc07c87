"""The one way from the nodes' rows to a judgement: the watcher, `abtest report` and evidence all go it. Pure."""

from collections.abc import Iterable

from runbook.model.cells import Cell
from runbook.model.judgement import Judgement, Verdict
from runbook.model.rollout import Rollout


def judge_stage(rollout: Rollout, rows: Iterable[Cell], now: float) -> Judgement:
    """What the rows say of the stage that the rollout is in, at that moment (seconds since 1970).

    Only buckets that are over by then count, so the same rows, rollout and moment always give the same judgement. Rows
    may come in any order and twice. `rows_needed` says from when on they are needed.
    """
    _ = rows, now
    return Judgement(rollout.current.name, (), None, Verdict.NO_DATA, "not judged yet")


def rows_needed(rollout: Rollout) -> float:
    """From when on (seconds since 1970) rows are needed to judge the stage: the own time of the spaces before it."""
    _ = rollout
    return 0.0
