"""Drills and the training record, as lines for people and as data for `--json`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from runbook.engine.drill_record import Standing
from runbook.model.drill import BRAKE, DrillRecord, Outcome, Phase
from runbook.model.duration import in_words
from runbook.report.lines import EMPTY, Line, Style, line

_STYLES = {Outcome.PASSED: Style.GOOD, Outcome.FAILED: Style.BAD}


def drill_lines(record: DrillRecord) -> Iterator[Line]:
    """One drill: the verdict, each phase against its limit, and what was wrong."""
    drill = record.drill
    yield Line(((f"Drill {drill.issue}: ", Style.STRONG), (record.outcome.value.upper(), _style(record))))
    yield line(f"{drill.nodes} nodes, {'rollback' if drill.issue == BRAKE else 'fault'} {drill.fault}", Style.FAINT)
    for phase in record.phases:
        yield _phase_line(phase)
    for why in record.why:
        yield line(why, Style.BAD, indent=2, hang=2)
    yield line(f"Recorded as {drill.id}, by {record.who}. The training record: runbook drill report", Style.FAINT)


def _phase_line(phase: Phase) -> Line:
    limit = f"at most {phase.limit_seconds:g} s"
    if phase.seconds is None:
        return Line(((f"{phase.name:<9}", Style.PLAIN), (f"{'-':>8}    not reached ({limit})", Style.BAD)), indent=2)
    style = Style.GOOD if phase.passed else Style.BAD
    spans = ((f"{phase.name:<9}", Style.PLAIN), (f"{phase.seconds:8.2f} s", style), (f"  ({limit})", Style.FAINT))
    return Line(spans, indent=2)


def _style(record: DrillRecord) -> Style:
    return _STYLES.get(record.outcome, Style.UNSURE)


def training_lines(
    records: Sequence[DrillRecord], found: Sequence[Standing], require: timedelta | None, missing: Sequence[str]
) -> Iterator[Line]:
    """The drills, oldest first; then each thing that can be rehearsed, with the age of its last passed drill."""
    if not records:
        yield line("No drill is recorded.", Style.FAINT)
    for record in records:
        yield from _record_lines(record)
    yield EMPTY
    yield line("Last passed", Style.STRONG)
    width = max((len(each.issue) for each in found), default=0)
    for each in found:
        style = Style.BAD if each.issue in missing else Style.GOOD if each.last else Style.UNSURE
        yield Line(((f"{each.issue:<{width}}  ", Style.PLAIN), (_standing(each), style)), indent=2, hang=2)
    if require is not None:
        yield EMPTY
        told = f"Older than {in_words(require)}, or never passed: {', '.join(missing)}"
        met = f"Each was rehearsed with success within {in_words(require)}."
        yield line(told, Style.BAD, hang=2) if missing else line(met, Style.GOOD)


def _record_lines(record: DrillRecord) -> Iterator[Line]:
    drill = record.drill
    times = ", ".join(f"{each.name} {_seconds(each.seconds)}" for each in record.phases)
    cells = f"  {drill.issue}  {record.who}@{record.where}  {drill.nodes} nodes  {times}".rstrip()
    at = f"{record.at:%Y-%m-%d %H:%M:%S}  "
    word = f"{'cut off' if record.outcome is Outcome.OPEN else record.outcome.value:<8}"
    yield Line(((at, Style.PLAIN), (word, _style(record)), (cells, Style.PLAIN)), hang=4)
    if drill.reason:
        yield line(f"reason: {drill.reason}", Style.FAINT, indent=2, hang=2)
    for why in record.why:
        yield line(why, Style.FAINT, indent=2, hang=2)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _standing(each: Standing) -> str:
    if each.last is None or each.age is None:
        return "never rehearsed with success"
    by = f"by {each.last.who}, {each.last.at:%Y-%m-%d}"
    if each.age < timedelta(0):
        return f"dated {in_words(-each.age)} ahead of this clock: look at the clock ({by})"
    return f"{in_words(each.age)} ago ({by})"


def drill_data(record: DrillRecord) -> dict[str, Any]:
    """One drill, whole."""
    drill = record.drill
    return {
        "id": drill.id,
        "issue": drill.issue,
        "fault": drill.fault,
        "nodes": drill.nodes,
        "reason": drill.reason,
        "versions": dict(drill.versions),
        "who": record.who,
        "where": record.where,
        "at": record.at.isoformat(),
        "outcome": record.outcome.value,
        "phases": [
            {"name": each.name, "seconds": each.seconds, "limit_seconds": each.limit_seconds, "passed": each.passed}
            for each in record.phases
        ],
        "why": list(record.why),
    }


def training_data(
    records: Sequence[DrillRecord], found: Sequence[Standing], require: timedelta | None, missing: Sequence[str]
) -> dict[str, Any]:
    """The training record."""
    return {
        "drills": [drill_data(record) for record in records],
        "standings": [
            {
                "issue": each.issue,
                "last_passed": None if each.last is None else drill_data(each.last),
                "age_seconds": None if each.age is None else each.age.total_seconds(),
            }
            for each in found
        ],
        "required_seconds": None if require is None else require.total_seconds(),
        "overdue": list(missing),
    }
