"""A plan of a migration and what came of it, in plain words."""

from collections.abc import Iterator, Mapping, Sequence

from runbook.model.conversion import Converted, Dropped, Part
from runbook.model.conversion_plan import ConversionPlan
from runbook.model.migration import Concepts
from runbook.report.lines import EMPTY, Line, Style, line

_WORDS = {"dual_memory": "dual memory", "single_memory": "single memory"}
_KEPT = {"residue": "kept in the residue", "backup": "kept in the backup only"}
_MIB = 1 << 20


def plan_lines(plan: ConversionPlan) -> Iterator[Line]:
    """What is converted, what goes on, what is lost and where it is kept."""
    source = plan.source
    yield line(f"{_WORDS[source.kind]} -> {_WORDS[plan.target]} ({plan.migration})", Style.STRONG)
    what = "everything" if source.since is None else f"what changed after sequence {source.since}"
    yield line(f"{what} of node {source.node}, snapshot {source.snapshot}: {counted(source.counts)}", indent=2, hang=2)
    yield from _residue_lines(plan)
    yield EMPTY
    yield line("goes on", Style.STRONG)
    for each in plan.carried:
        yield line(f"{each.count} x {each.record} -> {each.becomes}, {each.fields} fields", indent=2, hang=2)
    yield EMPTY
    yield line(f"cannot be held by {_WORDS[plan.target]}", Style.STRONG)
    for loss in plan.losses:
        yield line(f"{loss.count} x {loss.record}: {', '.join(loss.fields)} ({_KEPT[loss.kept]})", indent=2, hang=4)
    if not plan.losses:
        yield line("nothing is lost", Style.GOOD, indent=2)
    yield from _filled_lines(plan)
    yield EMPTY
    yield from _place_lines(plan)


def _residue_lines(plan: ConversionPlan) -> Iterator[Line]:
    found = plan.source.residue
    if found is not None:
        yield line(f"with the residue of an earlier conversion: {counted(found.counts)}", indent=2, hang=2)
    elif plan.source.kind == "single_memory":
        text = "WITHOUT RESIDUE: no concept and no binding returns, and every memory becomes a fresh episode"
        yield line(text, Style.UNSURE, indent=2, hang=2)


def _filled_lines(plan: ConversionPlan) -> Iterator[Line]:
    records = sorted({each.record for each in plan.filled})
    for record in records:
        if record == "concept memory" and plan.concepts is not Concepts.KEEP:
            continue
        values = ", ".join(f"{each.name} = {each.value or '(empty)'}" for each in plan.filled if each.record == record)
        yield line(f"a {record} has no source for: {values}", indent=2, hang=4)


def _place_lines(plan: ConversionPlan) -> Iterator[Line]:
    places, source = plan.places, plan.source
    if places.output:
        yield line(f"to {places.output}" + (f", the residue to {places.residue}" if places.residue else ""))
    if places.node:
        yield line(f"to a staging generation of {places.node}; the residue stays with the node")
    size = f"{plan.disk_bytes / _MIB:.1f} MiB of disk, about {max(plan.seconds, 1):.0f} s"
    yield line(f"{source.units} units, {size}; plan {plan.digest[:12]}", Style.FAINT)


def newer_lines(newer: int | None) -> Iterator[Line]:
    """How many writes of the node are not in the backup; nothing where nobody knows."""
    if newer:
        yield line(f"{newer} writes of the node are newer than this backup: a migration takes them along", Style.UNSURE)
    elif newer is not None:
        yield line("nothing was written to the node since this backup", Style.GOOD)


def converted_lines(plan: ConversionPlan, found: Converted, run: str) -> Iterator[Line]:
    """What came out, and what did not."""
    yield line(f"converted to {_WORDS[plan.target]}, run {run}", Style.STRONG)
    yield from _part_lines("data", found.data)
    if found.residue is not None:
        yield from _part_lines("residue", found.residue)
    if found.reused:
        yield line(f"{found.reused} of {found.units} units stood ready from an earlier try", Style.FAINT, indent=2)
    yield from dropped_lines(found.dropped)
    yield line("verified: every record checked as it was made, every byte read back from the disk", Style.GOOD)


def dropped_lines(dropped: Sequence[Dropped]) -> Iterator[Line]:
    """What went nowhere, and why."""
    for each in dropped:
        some = ", ".join(each.examples) + (", ..." if each.count > len(each.examples) else "")
        yield line(f"dropped: {each.count} x {each.record}, {each.why}: {some}", Style.UNSURE, indent=2, hang=4)


def _part_lines(name: str, part: Part) -> Iterator[Line]:
    yield line(f"{name}: {part.path}: {counted(part.counts)}", indent=2, hang=4)
    yield line(f"content digest {part.digest}", Style.FAINT, indent=4)


def counted(counts: Mapping[str, int]) -> str:
    """`300 episodes, 5 concepts`; `nothing` where there is none."""
    told = [f"{count} {name if count == 1 else _many(name)}" for name, count in counts.items() if count]
    return ", ".join(told) or "nothing"


def _many(name: str) -> str:
    return "memories" if name == "memory" else f"{name}s"
