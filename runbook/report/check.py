"""What a check of the documents found, as lines for people and as data for `--json`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.engine.check.live import Spoken
from runbook.engine.check.named import Named
from runbook.model.answer import Answer
from runbook.report.lines import EMPTY, Line, Style, line


@dataclass(frozen=True, slots=True)
class Checked:
    """One document: the names that it says, and how many of its lines are marked as another system's."""

    file: str
    names: tuple[Named, ...]
    passed_over: int = 0

    @property
    def missing(self) -> tuple[Named, ...]:
        """Those that do not exist."""
        return tuple(named for named in self.names if not named.exists)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was looked at; `notes` say what was not, and `silent` which nodes did not answer, and why."""

    documents: tuple[Checked, ...]
    spoken: tuple[Spoken, ...] = ()
    silent: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def check_lines(outcome: Outcome) -> Iterator[Line]:
    """What does not exist, then how much was looked at."""
    rows = [(document.file, named) for document in outcome.documents for named in document.missing]
    yield from _missing_lines(rows)
    yield from _live_lines(outcome)
    for note in outcome.notes:
        yield line(note, Style.FAINT)
    for document in outcome.documents:
        if document.passed_over:
            yield line(f"{document.file}: {document.passed_over} lines are marked as another system's", Style.FAINT)
    names = sum(len(document.names) for document in outcome.documents)
    where = f"in {_many(len(outcome.documents), 'document')}"
    if rows:
        yield line(f"{len(rows)} of {_many(names, 'name')} {where} {_do(len(rows))} not exist", Style.BAD)
    else:
        yield line(f"{_many(names, 'name')} {where}: all of them exist", Style.GOOD)


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"


def _missing_lines(rows: Sequence[tuple[str, Named]]) -> Iterator[Line]:
    places = [f"{file}:{named.line}" for file, named in rows]
    wide = max(map(len, places), default=0)
    kinds = max((len(named.kind.value) for _, named in rows), default=0)
    for place, (_, named) in zip(places, rows, strict=True):
        spans = [
            (f"{place:<{wide}}  {named.kind.value:<{kinds}}  ", Style.PLAIN),
            (named.name, Style.BAD),
        ]
        if named.note:
            spans.append((f"  {named.note}", Style.PLAIN))
        if named.meant:
            spans.append((f"  did you mean {named.meant}?", Style.FAINT))
        yield Line(tuple(spans), hang=wide + kinds + 4)
    if rows:
        yield EMPTY


def _live_lines(outcome: Outcome) -> Iterator[Line]:
    for each in outcome.spoken:
        if each.answer is Answer.NO:
            yield line(f"{each.node}  {each.named.kind.value}  {each.named.name}  the node has none", Style.BAD)
        elif each.answer is Answer.UNKNOWN:
            yield line(f"{each.node}  {each.named.kind.value}  {each.named.name}  it does not tell", Style.UNSURE)
    for node, reason in outcome.silent:
        yield line(f"{node}  UNKNOWN: {reason}", Style.UNSURE)
    nodes = {each.node for each in outcome.spoken}
    if nodes:
        good = sum(each.answer is Answer.YES for each in outcome.spoken)
        yield line(f"{good} of {len(outcome.spoken)} names of the contract are spoken by {_many(len(nodes), 'node')}")


def check_data(outcome: Outcome) -> dict[str, Any]:
    """All that was found; names that exist are only counted."""
    return {
        "documents": [
            {"file": each.file, "names": len(each.names), "passed_over": each.passed_over} for each in outcome.documents
        ],
        "missing": [
            {
                "file": document.file,
                "line": named.line,
                "kind": named.kind.value,
                "name": named.name,
                "meant": named.meant or None,
                "note": named.note or None,
            }
            for document in outcome.documents
            for named in document.missing
        ],
        "nodes": [
            {"node": each.node, "kind": each.named.kind.value, "name": each.named.name, "answer": each.answer.value}
            for each in outcome.spoken
        ],
        "silent": [{"node": node, "reason": reason} for node, reason in outcome.silent],
        "notes": list(outcome.notes),
    }
