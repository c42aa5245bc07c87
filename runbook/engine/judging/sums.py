"""Rows added up: by space and bucket of the plan, with what is odd about them set aside. Pure; one pass over them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runbook.engine.judging.span import Arms, Span
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.judgement import Metric

AHEAD_SECONDS = 60.0
"""A node's clock may be ahead of ours by that much without a word."""


@dataclass(slots=True)
class Sum:
    """Rows added up; it is counted up in place. Latencies are logarithms of milliseconds."""

    n: int = 0
    latency: float = 0.0
    latency_squares: float = 0.0
    errors: int = 0
    over_slo: int = 0
    confidence_n: int = 0
    confidence: float = 0.0

    def add(self, cell: Cell) -> None:
        """Count the row in."""
        self.n += cell.n
        self.latency += cell.log_latency_sum
        self.latency_squares += cell.log_latency_sum_squares
        self.errors += cell.errors
        self.over_slo += cell.over_slo
        self.confidence_n += cell.confidence_n
        self.confidence += cell.confidence_sum

    def count(self, metric: Metric) -> int:
        """How many recalls the metric could be taken of."""
        match metric:
            case Metric.LATENCY | Metric.SLOW:
                return self.n
            case Metric.ERRORS:
                return self.n + self.errors
            case Metric.CONFIDENCE:
                return self.confidence_n

    def total(self, metric: Metric) -> float:
        """What is divided by that count; turned so that more is worse."""
        match metric:
            case Metric.LATENCY:
                return self.latency
            case Metric.SLOW:
                return self.over_slo
            case Metric.ERRORS:
                return self.errors
            case Metric.CONFIDENCE:
                return -self.confidence


@dataclass(slots=True)
class Wrong:
    """Recalls that a node served in another group than was assigned: how many, and of which spaces."""

    recalls: int = 0
    spaces: set[str] = field(default_factory=set)
    last: int = 0


@dataclass(slots=True)
class Sums:
    """What one pass found. `own` is the untreated time of a space before the stage, `stage` its buckets since.

    `seen` is the bucket in which a space was first seen in the stage, and whether as treatment; named ones are not in
    it. `recalls` are those of the stage, by group. `misfits` are the lengths of buckets that do not divide the plan's,
    by node, and whether any of them is of the stage; `last` is the end of a node's newest bucket, `homes` the nodes of
    a space in the stage, `where` the last one of each space.
    """

    own: dict[str, Sum] = field(default_factory=dict)
    stage: dict[str, dict[int, Sum]] = field(default_factory=dict)
    seen: dict[str, tuple[int, bool]] = field(default_factory=dict)
    recalls: dict[str, int] = field(default_factory=lambda: {CONTROL: 0, TREATMENT: 0})
    spaces: dict[str, set[str]] = field(default_factory=lambda: {CONTROL: set(), TREATMENT: set()})
    wrong: dict[tuple[str, str], Wrong] = field(default_factory=dict)
    misfits: dict[str, tuple[int, bool]] = field(default_factory=dict)
    ahead: dict[str, float] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    homes: dict[str, dict[str, None]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Place:
    """One space: of which arm it is a unit, in which group it has to be served, whether it is treated by name."""

    arm: str | None
    assigned: str
    named: bool


def add_up(rows: Iterable[Cell], arms: Arms, span: Span, now: float) -> Sums:
    """Every row counted once, where it belongs; the rows come ordered by bucket, as a store gives them.

    Raises:
        ValueError: they do not.
    """
    sums, buckets = Sums(), span.buckets(now)
    places: dict[str, _Place] = {}  # hashing each space once, and not each row
    for cell in _once(rows):
        place = places.get(cell.space)
        if place is None:
            name = cell.space
            place = places[name] = _Place(arms.arm(name), arms.assigned(name), named=name in arms.named)
        if cell.bucket > now + AHEAD_SECONDS:
            sums.ahead[cell.node] = max(cell.bucket - now, sums.ahead.get(cell.node, 0.0))
        elif span.bucket % cell.seconds or cell.bucket % cell.seconds:
            late = cell.bucket >= span.since
            sums.misfits[cell.node] = (cell.seconds, late or sums.misfits.get(cell.node, (0, False))[1])
        elif cell.bucket < span.until:
            _add_own(sums, cell, place.arm, span)
        elif cell.bucket >= span.since and (at := (cell.bucket - span.since) // span.bucket) < buckets:
            _add_stage(sums, cell, place, at)
        if cell.bucket <= now + AHEAD_SECONDS:
            sums.where[cell.space] = cell.node
            sums.last[cell.node] = max(cell.bucket + cell.seconds, sums.last.get(cell.node, 0))
    return sums


def _add_own(sums: Sums, cell: Cell, arm: str | None, span: Span) -> None:
    if arm is not None and cell.group == CONTROL and cell.bucket >= span.own:
        sums.own.setdefault(cell.space, Sum()).add(cell)


def _add_stage(sums: Sums, cell: Cell, place: _Place, at: int) -> None:
    recalls, treated = cell.n + cell.errors, cell.group == TREATMENT
    if not recalls:
        return
    sums.recalls[cell.group] += recalls
    sums.spaces[cell.group].add(cell.space)
    sums.homes.setdefault(cell.space, {})[cell.node] = None
    if not place.named:
        first, as_treated = sums.seen.get(cell.space, (at, treated))
        sums.seen[cell.space] = (first, as_treated or (treated and first == at))
    if at and cell.group != place.assigned:  # a node's clock may be off by the first bucket
        wrong = sums.wrong.setdefault((cell.node, cell.group), Wrong())
        wrong.recalls += recalls
        wrong.spaces.add(cell.space)
        wrong.last = max(wrong.last, cell.bucket)
    if place.arm == cell.group:
        sums.stage.setdefault(cell.space, {}).setdefault(at, Sum()).add(cell)


def _once(rows: Iterable[Cell]) -> Iterator[Cell]:
    """Each row once: of two readings of the same one that which counts more recalls, since rows only grow."""
    held: dict[tuple[str, str, str, int], Cell] = {}
    bucket = None
    for cell in rows:
        if cell.bucket != bucket:
            if bucket is not None and cell.bucket < bucket:
                raise ValueError(f"rows are not ordered: bucket {cell.bucket} after {bucket}")
            yield from held.values()
            held.clear()
            bucket = cell.bucket
        key = (cell.node, cell.space, cell.group, cell.seconds)
        known = held.get(key)
        if known is None or known.n + known.errors < cell.n + cell.errors:
            held[key] = cell
    yield from held.values()
