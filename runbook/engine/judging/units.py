"""From rows to the units of a comparison: who was moved by chance, who was not, and how each space fared. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from runbook.engine.judging.span import Arms, Span
from runbook.engine.judging.sums import Sum, Sums, add_up
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.judgement import Metric, Path, Stratum

QUIET_BUCKETS: Final = 3
"""A node that has told of nothing for so many of the plan's buckets is silent, or its clock is behind."""
WRONG_SHARE: Final = 0.01
"""From this share of a stage's recalls on, those that were served in another group than assigned block for good."""
_NAN = float("nan")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Tail:
    """The recalls of one unit in the stage: how many, the sums of their log latencies and of the squares of these."""

    space: str
    treated: bool
    n: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class Units:
    """What a stage's rows say before anything is judged: `buckets` of `bucket` seconds, from `since` (since 1970) on.

    `strata` has one for each metric, all of the same spaces. `sighted` has, for each space that was seen in the stage,
    the bucket of the first time, and whether it was served as treatment; named ones are not in it. Shares are of the
    group that the nodes served, of all spaces seen and of all their recalls. `blocked` says what keeps the stage from
    being promoted whatever the strata say, `told` what people have to know beside it.
    """

    stage: str
    since: int
    bucket: int
    buckets: int
    strata: Mapping[Metric, Stratum]
    sighted: tuple[tuple[int, bool], ...]
    expected_share: float
    treated_spaces: int
    spaces: int
    treated_recalls: int
    recalls: int
    tails: tuple[Tail, ...]
    blocked: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def share_of_spaces(self) -> float:
        """How large a part of the spaces was served as treatment; NaN where none was seen."""
        return self.treated_spaces / self.spaces if self.spaces else _NAN

    @property
    def share_of_traffic(self) -> float:
        """How large a part of the recalls; NaN where there was none."""
        return self.treated_recalls / self.recalls if self.recalls else _NAN


def units_of(rows: Iterable[Cell], arms: Arms, span: Span, now: float, *, stage: str, own: bool = True) -> Units:
    """The units of a stage at that moment (seconds since 1970): only buckets that are over by then.

    Without `own` the spaces are compared as they are, less nothing: for where none has an untreated time before.

    Raises:
        ValueError: the rows are not ordered by bucket.
    """
    sums, buckets = add_up(rows, arms, span, now), span.buckets(now)
    known = sorted(sums.own if own else sums.stage)
    strata = {
        metric: Stratum(
            stage=stage,
            metric=metric,
            bucket_seconds=float(span.bucket),
            paths=tuple(_path(space, metric, sums, arms, buckets, own=own) for space in known),
            looks=span.looks,
            seed=f"{arms.salt}:{stage}:{arms.share}",
        )
        for metric in Metric
    }
    every = sums.spaces[CONTROL] | sums.spaces[TREATMENT]
    return Units(
        stage=stage,
        since=span.since,
        bucket=span.bucket,
        buckets=buckets,
        strata=strata,
        sighted=tuple(sorted(sums.seen.values())),
        expected_share=arms.share,
        treated_spaces=len(sums.spaces[TREATMENT]),
        spaces=len(every),
        treated_recalls=sums.recalls[TREATMENT],
        recalls=sums.recalls[CONTROL] + sums.recalls[TREATMENT],
        tails=tuple(_tail(space, sums, arms) for space in known if space in sums.stage),
        blocked=(*_wrong(sums, span, now, blocks=True), *_misfits(sums, late=True), *_quiet(sums, span, now)),
        told=(
            *_wrong(sums, span, now, blocks=False),
            *_misfits(sums, late=False),
            *_ahead(sums),
            *(_newcomers(sums) if own else ()),
            *_movers(sums),
        ),
    )


def _path(space: str, metric: Metric, sums: Sums, arms: Arms, buckets: int, *, own: bool) -> Path:
    since = sums.stage.get(space, {})
    after = sum(each.count(metric) for each in since.values())
    failed = sum(each.errors for each in since.values())
    before = sums.own[space].count(metric) if own else after
    mean = _mean(sums.own[space], metric) if own else 0.0
    differences = tuple(_mean(since.get(at), metric) - mean for at in range(buckets))
    return Path(space, arms.arm(space) == TREATMENT, differences, before, after, failed)


def _mean(found: Sum | None, metric: Metric) -> float:
    count = 0 if found is None else found.count(metric)
    return _NAN if found is None or not count else found.total(metric) / count


def _tail(space: str, sums: Sums, arms: Arms) -> Tail:
    every = sums.stage[space].values()
    total, squares = sum(each.latency for each in every), sum(each.latency_squares for each in every)
    return Tail(space, arms.arm(space) == TREATMENT, sum(each.n for each in every), total, squares)


def _wrong(sums: Sums, span: Span, now: float, *, blocks: bool) -> list[str]:
    """What nodes served, against what was assigned: it blocks while it lasts, and for good where it was much.

    A stage that was entered in vain and put back leaves a trace of it, which must not block for weeks.
    """
    other = {CONTROL: TREATMENT, TREATMENT: CONTROL}
    much = sum(wrong.recalls for wrong in sums.wrong.values()) > WRONG_SHARE * sum(sums.recalls.values())
    return [
        f"{node} served {_many(wrong.recalls, 'recall')} of {_names(wrong.spaces)} as {group},"
        f" assigned to {other[group]} (last in the bucket of {clock(wrong.last)})"
        for (node, group), wrong in sorted(sums.wrong.items())
        if (much or now - wrong.last <= (QUIET_BUCKETS + 1) * span.bucket) is blocks
    ]


def _misfits(sums: Sums, *, late: bool) -> list[str]:
    what = "counts" if late else "counted, before the stage,"
    return [
        f"{node} {what} in buckets of {seconds} s, which do not add up to those of the plan"
        for node, (seconds, since) in sorted(sums.misfits.items())
        if since is late
    ]


def _quiet(sums: Sums, span: Span, now: float) -> list[str]:
    """Who has told of nothing for long. A stage that is young is not waited for in vain yet.

    A node all of whose spaces have been seen elsewhere since is gone, and nobody waits for it.
    """
    patience, needed = QUIET_BUCKETS * span.bucket, set(sums.where.values())
    return [
        f"{node} has told of no recall since {clock(last)}, {now - last:.0f} s ago:"
        " it is silent, or its clock is behind"
        for node, last in sorted(sums.last.items())
        if node in needed and now - max(last, span.since) > patience
    ]


def _ahead(sums: Sums) -> list[str]:
    return [
        f"{node} tells of recalls {seconds:.0f} s from now: its clock is wrong, and they are left out"
        for node, seconds in sorted(sums.ahead.items())
    ]


def _newcomers(sums: Sums) -> list[str]:
    new = [space for space in sums.stage if space not in sums.own]
    if not new:
        return []
    return [f"{_names(new)}: no untreated time before the stage, nothing to compare with, so not units"]


def _movers(sums: Sums) -> list[str]:
    moved = {space: nodes for space, nodes in sums.homes.items() if len(nodes) > 1}
    if not moved:
        return []
    return [f"{_names(moved)} answered from several nodes ({', '.join(sorted(set().union(*moved.values())))})"]


def _names(spaces: Iterable[str]) -> str:
    """How many spaces, and the first of them by name, fit to be shown."""
    every = sorted(spaces)
    shown = ", ".join("".join(each if each.isprintable() else "?" for each in name) for name in every[:_SHOWN])
    more = ", ..." if len(every) > _SHOWN else ""
    return f"{_many(len(every), 'space')} ({shown}{more})"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def clock(seconds: float) -> str:
    """The moment (seconds since 1970) as people and programs read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
