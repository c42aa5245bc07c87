"""Which units a phase has: consecutive ranges of keys of about the same weight. The same sources give the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from runbook.adapters.archives.conversion.sources import UNRANGED, Span
from runbook.adapters.archives.conversion.unit import Unit
from runbook.archive import limits
from runbook.archive.regions import Prefix, Region, Scanned
from runbook.model.migration import Phase


@dataclass(frozen=True, slots=True)
class Cut:
    """How large the parts of the work are: what is read at once, and what a kill costs each worker at most."""

    region_bytes: int = limits.MIB
    unit_bytes: int = 8 * limits.MIB


@dataclass(frozen=True, slots=True)
class Division:
    """What is divided, and into how large units."""

    data: Scanned
    residue: Scanned | None
    unit_bytes: int


def units_of(number: int, phase: Phase, of: Division) -> tuple[Unit, ...]:
    """The units of the phase of that number; at least one."""
    left = [] if of.residue is None else [each for each in of.residue.regions if each.type != UNRANGED]
    read = [each for each in of.data.regions if each.type == phase.reads]
    regions = [*read, *left]
    if not phase.divisible or phase.reads == UNRANGED:
        return (Unit(number, 0, Span(), _records(read or regions)),)
    counted = read if phase.reads else left
    found: list[Unit] = []
    low: Prefix | None = None
    for high in [*_cuts(sorted(regions, key=lambda each: each.first), of.unit_bytes), None]:
        span = Span(low, high)
        some = [each for each in counted if span.holds(each.first)]
        found.append(Unit(number, len(found), span, _records(some)))
        low = high
    return tuple(found)


def _cuts(regions: list[Region], unit_bytes: int) -> Iterator[Prefix]:
    """Where a new unit begins."""
    size = 0
    before: Prefix | None = None
    for region in regions:
        if size >= unit_bytes and region.first != before:
            yield region.first
            before = region.first
            size = 0
        size += region.size


def _records(regions: list[Region]) -> int:
    return sum(each.records for each in regions)
