"""What a closer look found, for people and as JSON: what grows in the memory, recent concepts, evidence of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook.engine.figures import figure
from runbook.model.answer import Answer
from runbook.report.lines import Line, Style, line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runbook.model.concept import Reviewed
    from runbook.model.evidence import NodeEvidence
    from runbook.model.finding import NodeDiagnosis
    from runbook.model.measurement import Growth

MOST_CONCEPTS = 6
FEW_CONCEPTS = 2
MOST_PARTS = 3
LONGEST_TEXT = 60
BYTES_PER_MEGABYTE = 1e6


def look_lines(node: NodeDiagnosis) -> Iterator[Line]:
    """The parts of the memory that grow for certain; where the issue may be there, the newest concepts too."""
    growing = [each for each in node.grows if each.low > 0]
    if growing:
        parts = ", ".join(f"{each.part} {figure(each.value)} MB/h" for each in growing[:MOST_PARTS])
        yield line(f"grows: {parts}", indent=2, hang=4)
    if node.present is Answer.NO:
        return
    weak = [each for each in node.reviewed if each.weak]
    shown = weak[:MOST_CONCEPTS] or node.reviewed[:FEW_CONCEPTS]
    for each in shown:
        yield from _concept_lines(each)
    if len(node.reviewed) > len(shown):
        yield line(f"and {len(node.reviewed) - len(shown)} more concepts (--json has them all)", Style.FAINT, indent=4)


def _concept_lines(reviewed: Reviewed) -> Iterator[Line]:
    concept = reviewed.concept
    when = concept.formed_at[:19].replace("T", " ")
    told = f"{when}  {concept.space}  {concept.size} episodes, coherence {concept.coherence:.2f}"
    mark = (f"  weak: {reviewed.weak}" if reviewed.weak else "", Style.BAD)
    yield Line(((told, Style.PLAIN), mark), indent=4, hang=4)
    for text in concept.texts[:2]:
        short = printable(text)
        short = short if len(short) <= LONGEST_TEXT else short[: LONGEST_TEXT - 3] + "..."
        yield line(f'"{short}"', Style.FAINT, indent=6, hang=2)


def evidence_lines(found: Sequence[NodeEvidence]) -> Iterator[Line]:
    """What grew between two dumps of each node, and where the dumps are."""
    for each in found:
        if each.grew:
            parts = ", ".join(
                f"{part.part} +{figure(part.rise / BYTES_PER_MEGABYTE)} MB" for part in each.grew[:MOST_PARTS]
            )
            yield line(f"heap of {each.node}: {parts} in {each.seconds:.0f} s", hang=2)
        elif each.kept and not each.message:
            yield line(f"heap of {each.node}: nothing grew in {each.seconds:.0f} s", hang=2)
        if each.message:
            yield line(f"heap of {each.node}: {each.message}", Style.UNSURE, hang=2)
        for kept in each.kept:
            yield line(kept.path, Style.FAINT, indent=2)


def growth_data(grows: Sequence[Growth]) -> list[dict[str, Any]]:
    """The parts of the memory by growth, in MB/h, the fastest first."""
    return [{"part": each.part, "value": each.value, "low": each.low, "high": each.high} for each in grows]


def reviewed_data(reviewed: Sequence[Reviewed]) -> list[dict[str, Any]]:
    """The newest concepts, and why they are weak."""
    return [
        {
            "id": each.concept.id,
            "space": each.concept.space,
            "formed_at": each.concept.formed_at,
            "size": each.concept.size,
            "coherence": each.concept.coherence,
            "texts": list(each.concept.texts),
            "weak": each.weak or None,
        }
        for each in reviewed
    ]


def evidence_data(found: Sequence[NodeEvidence]) -> list[dict[str, Any]]:
    """What was collected, what grew (bytes), and why something is missing."""
    return [
        {
            "node": each.node,
            "kept": [{"path": kept.path, "sha256": kept.sha256} for kept in each.kept],
            "grew": [{"part": part.part, "before": part.before, "after": part.after} for part in each.grew],
            "seconds": each.seconds,
            "message": each.message or None,
        }
        for each in found
    ]
