"""What the access logs of splitters say of an A/B comparison: errors by group, and whether the split was kept. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from runbook.engine.judging.assigned import Regime
from runbook.engine.judging.ratio import mismatch
from runbook.model.access import AccessLog, AccessReport, Calls, Misplaced, SpaceCalls
from runbook.model.assignment import STEPS
from runbook.model.cells import CONTROL, GROUPS, TREATMENT
from runbook.model.judgement import Mismatch
from runbook.model.measurement import Silence

MOST_SHOWN = 20
MOST_BUCKETS = 200
"""The evidence of a mismatch grows with their square."""
_GARBAGE = 0.01


@dataclass(frozen=True, slots=True)
class Since:
    """From when on it was counted (seconds since 1970; None: all that is there), and the length of a bucket."""

    moment: float | None
    bucket: float


def access_report(
    logs: Sequence[AccessLog], silent: Sequence[Silence], regime: Regime | None, since: Since
) -> AccessReport:
    """All logs together. Without a regime it is not known who should have been served how."""
    spaces = _together(each for log in logs for each in log.spaces)
    recalls = {group: _all(getattr(each, group) for each in spaces.values()) for group in GROUPS}
    for log in logs:
        recalls = {group: recalls[group] + log.unlisted[group] + log.nameless[group] for group in GROUPS}
    wrong = [] if regime is None else _misplaced(spaces.values(), logs, regime)
    return AccessReport(
        since.moment,
        tuple(logs),
        tuple(silent),
        recalls,
        {group: _all(log.other[group] for log in logs) for group in GROUPS},
        _all(log.mirrored for log in logs),
        len(spaces),
        tuple(wrong[:MOST_SHOWN]),
        len(wrong),
        None if regime is None else _ratio(spaces.values(), regime, since),
        tuple(_told(logs, regime)),
    )


def _together(rows: Iterable[SpaceCalls]) -> dict[str, SpaceCalls]:
    found: dict[str, SpaceCalls] = {}
    for row in rows:
        known = found.get(row.space)
        if known is not None:
            first = min(known.first, row.first)
            row = SpaceCalls(row.space, first, known.control + row.control, known.treatment + row.treatment)  # noqa: PLW2901 - summed up
        found[row.space] = row
    return found


def _all(calls: Iterable[Calls]) -> Calls:
    return reduce(Calls.__add__, calls, Calls())


def _misplaced(spaces: Iterable[SpaceCalls], logs: Sequence[AccessLog], regime: Regime) -> list[Misplaced]:
    """The worst first; what named no space has to be control."""
    found = []
    for each in spaces:
        assigned = regime.group(each.space)
        astray = each.control if assigned == TREATMENT else each.treatment
        if astray.calls:
            found.append(Misplaced(each.space, assigned, astray.calls, (each.control + each.treatment).calls))
    nameless = {group: _all(log.nameless[group] for log in logs).calls for group in GROUPS}
    if nameless[TREATMENT]:
        found.append(Misplaced("", CONTROL, nameless[TREATMENT], sum(nameless.values())))
    return sorted(found, key=lambda each: (-each.calls, each.space))


def _ratio(spaces: Iterable[SpaceCalls], regime: Regime, since: Since) -> Mismatch | None:
    """Of the spaces that the hash decides on: those that are named were not drawn by chance."""
    drawn = [each for each in spaces if each.space not in regime.always]
    if not drawn:
        return None
    begin = min(each.first for each in drawn)
    length = max(since.bucket, (max(each.first for each in drawn) - begin) / MOST_BUCKETS)
    seen = [(int((each.first - begin) // length), each.treatment.calls > each.control.calls) for each in drawn]
    recalls = (sum(each.treatment.calls for each in drawn), sum(each.control.calls for each in drawn))
    return mismatch(seen, round(regime.share * STEPS) / STEPS, recalls)


def _told(logs: Sequence[AccessLog], regime: Regime | None) -> Iterable[str]:
    if regime is None:
        yield "it is not known how the traffic was to be split, so nothing is said of the ratio of the arms"
    for log in logs:
        if log.newest is None:
            yield f"{log.source}: no call in that time"
        if log.garbage > log.lines * _GARBAGE:
            yield f"{log.source}: {log.garbage} of {log.lines} lines are none of a splitter's"
        if more := _all(log.unlisted.values()).calls:
            yield f"{log.source}: {more} recalls are of more spaces than are told by name, and in no ratio"
