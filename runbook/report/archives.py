"""What an archive holds, for people and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from runbook.archive.compare import Difference
from runbook.archive.layout import Header, Summary
from runbook.report.lines import Line, Style, line

_MIB = 1 << 20
_SHOWN_SPACES = 20


def header_data(header: Header) -> dict[str, Any]:
    """What an archive is of."""
    return {
        "kind": header.kind,
        "created_at": header.created_at,
        "node": header.node,
        "snapshot": header.snapshot,
        "consistency": header.consistency,
        "since": header.since,
    }


def summary_data(summary: Summary) -> dict[str, Any]:
    """What it is of, and what was found in it."""
    return {
        **header_data(summary.header),
        "counts": dict(summary.counts),
        "bytes": summary.bytes,
        "sha256": summary.sha256,
        "content_digest": None if summary.digest is None else str(summary.digest),
    }


def counts_words(counts: Mapping[str, int]) -> str:
    """`5000 episodes, 1 concept, 1200 bindings`."""
    return ", ".join(f"{count} {_plural(name, count)}" for name, count in counts.items()) or "nothing"


def _plural(name: str, count: int) -> str:
    if count == 1:
        return name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def size_words(size: int) -> str:
    """In MiB, or bytes where that is little."""
    return f"{size / _MIB:.1f} MiB" if size >= _MIB else f"{size} bytes"


def summary_lines(summary: Summary) -> Iterator[Line]:
    """A few lines on an archive."""
    header = summary.header
    changes = "" if header.since is None else f", what changed after {header.since}"
    yield line(
        f"{header.kind} of node {header.node}, snapshot {header.snapshot} ({header.consistency}){changes}", indent=2
    )
    yield line(f"{counts_words(summary.counts)}; {size_words(summary.bytes)}", indent=2)
    if summary.digest is not None:
        yield line(f"content digest {summary.digest}", Style.FAINT, indent=2)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import into a node; empty and None where there was nothing of the kind.

    `replaced` is the generation that was served before and is kept, `dropped` the staging one that was dropped.
    """

    target: str
    node: str
    run: str
    archive: Summary | None = None
    generation: str = ""
    reused: bool = False
    activated: bool = False
    sequence: int | None = None
    replaced: str = ""
    dropped: str = ""
    seconds: float = 0.0


def imported_data(found: Imported) -> dict[str, Any]:
    """As JSON."""
    members = {each.name: getattr(found, each.name) for each in fields(found)}
    return {**members, "archive": None if found.archive is None else summary_data(found.archive)}


def imported_lines(found: Imported) -> Iterator[Line]:
    """What came of it, and what can be done next."""
    if found.archive is None:
        yield line(f"{found.node}: the staging generation {found.dropped} was dropped", Style.GOOD)
        return
    how = "it was there already" if found.reused else "filled"
    yield line(f"{found.node}: generation {found.generation} holds the archive ({how}, exported again, same content)")
    yield from summary_lines(found.archive)
    if found.activated:
        yield line(f"{found.generation} is served from {found.sequence} on; {found.replaced} is kept", Style.GOOD)
    else:
        yield line("What is served has not changed.")
        yield line("to serve it: the same command with --activate   to let go of it: runbook import --drop", indent=2)


def spaces_lines(counts: Mapping[str, Mapping[str, int]], more: int) -> Iterator[Line]:
    """Records by space; `more` are those of spaces that were not counted apart."""
    for number, (space, found) in enumerate(sorted(counts.items())):
        if number == _SHOWN_SPACES:
            yield line(f"and {len(counts) - number} spaces more (--json has them)", indent=4)
            break
        yield line(f"{space}: {counts_words(found)}", indent=4)
    if more:
        yield line(f"and {more} records of still other spaces", indent=4)


def compared_data(found: Mapping[str, Difference], *, same: bool) -> dict[str, Any]:
    """What differs, by type of record."""
    different = {
        name: {
            "only_first": each.only_first,
            "only_second": each.only_second,
            "changed": each.changed,
            "examples": {where: ["/".join(key) for key in keys] for where, keys in each.examples.items()},
        }
        for name, each in found.items()
    }
    return {"same": same, "differences": different}


def compared_lines(found: Mapping[str, Difference], ours: Summary, theirs: Summary, *, same: bool) -> Iterator[Line]:
    """Do they have the same content, and what differs where not?"""
    if same:
        yield line("same content", Style.GOOD)
        return
    if ours.header.kind != theirs.header.kind:
        yield line(f"not the same content: {ours.header.kind} and {theirs.header.kind}", Style.BAD)
        return
    yield line("not the same content", Style.BAD)
    for name, each in found.items():
        named = (
            ("first", each.only_first, "only in the first"),
            ("second", each.only_second, "only in the second"),
            ("changed", each.changed, "in both, and not alike"),
        )
        for where, count, words in named:
            if count:
                told = f"{count} {_plural(name, count)} {words}: {_named(each.examples[where], count)}"
                yield line(told, indent=2, hang=2)


def _named(keys: Sequence[tuple[str, ...]], count: int) -> str:
    names = ", ".join("/".join(key) for key in keys)
    return f"{names}, ..." if count > len(keys) else names
