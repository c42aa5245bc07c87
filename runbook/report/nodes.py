"""What every node is and can do, as JSON and as lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from runbook.model.answer import Answer
from runbook.model.capabilities import Capabilities, Metrics, SpaceCount, TimedRecalls
from runbook.model.measurement import Silence
from runbook.model.play import Collected
from runbook.model.settings import Settings
from runbook.model.target import Node
from runbook.report.lines import Line, Style, line

READ_ONLY = "nothing of it can be changed while it runs: see docs/explanation/upstream-server.md"
FEW_SPACES = 8
RATE, SALT, SPACES = (f"dual_memory.treatment_{word}" for word in ("rate", "salt", "spaces"))
_INDENT = 2
_HANG = 12
_NAMES = 10


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One node and what was found; `timed` and `memory` are None where nobody asked for them."""

    node: Node
    known: Capabilities | Silence
    timed: TimedRecalls | None = None
    memory: Collected | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """One splitter, and what it says that it splits by."""

    node: Node
    settings: Settings | Silence


def nodes_data(target: str, surveyed: Sequence[Surveyed], splits: Sequence[Split] = ()) -> dict[str, Any]:
    """Every node, with what it can, and the reasons for what it cannot; and what splits their traffic."""
    found = {"target": target, "nodes": [_data(each) for each in surveyed]}
    return found | ({"splitters": [_split_data(each) for each in splits]} if splits else {})


def nodes_lines(surveyed: Sequence[Surveyed], splits: Sequence[Split] = ()) -> Iterator[Line]:
    """A paragraph a node; then a line a splitter."""
    yield from _nodes_lines(surveyed)
    for each in splits:
        style = Style.UNSURE if isinstance(each.settings, Silence) else Style.GOOD
        name = (f"{each.node.name}  ", Style.STRONG)
        yield Line((name, (f"{each.node.url}  ", Style.PLAIN), (split_text(each.settings), style)), hang=_INDENT)


def split_text(settings: Settings | Silence) -> str:
    """What a splitter splits by, or why it does not tell."""
    if isinstance(settings, Silence):
        return f"splits the traffic, and does not tell how: {settings.reason}"
    rate, salt, spaces = (settings.get(key) for key in (RATE, SALT, SPACES))
    share = f"{rate:.2%}" if isinstance(rate, int | float) else "unknown"
    named = f", {len(spaces)} spaces by name" if isinstance(spaces, tuple) and spaces else ""
    return f"splits the traffic: share {share} by salt {salt!r}{named}"


def _split_data(each: Split) -> dict[str, Any]:
    about = {"splitter": each.node.name, "url": each.node.url}
    if isinstance(each.settings, Silence):
        return about | {"silence": each.settings.reason, "share": None, "salt": None, "spaces": None}
    share, salt, spaces = (each.settings.get(key) for key in (RATE, SALT, SPACES))
    return about | {"silence": None, "share": share, "salt": salt, "spaces": spaces}


def _nodes_lines(surveyed: Sequence[Surveyed]) -> Iterator[Line]:
    for each in surveyed:
        if isinstance(each.known, Silence):
            yield _head(each, each.known.reason, Style.UNSURE)
        else:
            what = f"{each.known.version or 'an unknown server'}, {each.known.health}"
            yield _head(each, what, Style.GOOD if each.known.health == "healthy" else Style.BAD)
            yield from _able(each.known)
        if each.timed is not None:
            yield _row("recall", recall_text(each.timed), unsure=bool(each.timed.reason))
        if each.memory is not None:
            yield _row("memory", memory_text(each.memory), unsure=each.memory.document is None)
        if isinstance(each.known, Capabilities) and each.known.changeable is Answer.NO:
            yield line(f"hint: {READ_ONLY}", Style.FAINT, _INDENT)


def cannot_text(known: Capabilities) -> str:
    """What it cannot do and what cannot be told, with the reasons; empty where it can do everything."""
    reasons: dict[str, list[str]] = {}
    for ability in known.abilities:
        if ability.answer is not Answer.YES:
            reasons.setdefault(ability.reason, []).append(ability.what.value)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())


def can_text(known: Capabilities) -> str:
    """What it can do."""
    return ", ".join(ability.what.value for ability in known.answering(Answer.YES)) or "be read only"


def metrics_text(known: Capabilities) -> str:
    """The kind of its metrics, and what is to be said of it."""
    if known.metrics is Metrics.FOREIGN:
        return known.metrics_reason
    kind = "unknown" if known.metrics is None else known.metrics.value
    return f"{kind}: {known.metrics_reason}" if known.metrics_reason else kind


def spaces_text(spaces: Sequence[SpaceCount]) -> str:
    """How many memories are in which space: those that hold most by name, and the sum of all."""
    if not spaces:
        return "none"
    named = sorted(spaces, key=lambda each: -each.memories)[:FEW_SPACES]
    text = ", ".join(f"{each.space} {each.memories}" for each in named)
    if len(spaces) == len(named):
        return text
    total = sum(each.memories for each in spaces)
    return f"{text}, and {len(spaces) - len(named)} more; {total} memories in {len(spaces)} spaces"


def recall_text(timed: TimedRecalls) -> str:
    """How long the tool's own recalls took."""
    if not timed.seconds:
        return timed.reason or "none was made"
    middle, worst = (figure * 1000 for figure in (median(timed.seconds), max(timed.seconds)))
    text = f"{len(timed.seconds)} in space {timed.space}: median {middle:.1f} ms, worst {worst:.1f} ms"
    return f"{text}; then {timed.reason}" if timed.reason else text


def memory_text(memory: Collected) -> str:
    """What the kernel says, in MB, and since when the process runs."""
    found = memory.document
    if found is None:
        return memory.message
    anonymous, resident = (found[name] / 1e6 for name in ("anonymous_bytes", "resident_bytes"))
    since = datetime.fromtimestamp(found["started_at"], UTC).isoformat(timespec="seconds")
    return f"RssAnon {anonymous:.1f} MB, VmRSS {resident:.1f} MB; {found['name']}, process {found['pid']} since {since}"


def _head(each: Surveyed, text: str, style: Style) -> Line:
    name = (f"{each.node.name}  ", Style.STRONG)
    return Line((name, (f"{each.node.url}  ", Style.PLAIN), (text, style)), hang=_INDENT)


def _able(known: Capabilities) -> Iterator[Line]:
    yield _row("can", can_text(known))
    if cannot := cannot_text(known):
        yield _row("cannot", cannot, unsure=True)
    yield _row("metrics", metrics_text(known), unsure=known.metrics is not Metrics.CONTRACT)
    if known.spaces is None:
        yield _row("spaces", known.spaces_reason, unsure=True)
    else:
        yield _row("spaces", spaces_text(known.spaces))


def _row(name: str, text: str, *, unsure: bool = False) -> Line:
    style = Style.UNSURE if unsure else Style.PLAIN
    return Line(((f"{name:<{_NAMES}}", Style.FAINT), (text, style)), _INDENT, _HANG)


def _data(each: Surveyed) -> dict[str, Any]:
    known = each.known
    return {
        "node": each.node.name,
        "url": each.node.url,
        "silence": known.reason if isinstance(known, Silence) else None,
        "capabilities": None if isinstance(known, Silence) else _capabilities(known),
        "recall": None if each.timed is None else _recall(each.timed),
        "memory": None if each.memory is None else _memory(each.memory),
    }


def _capabilities(known: Capabilities) -> Mapping[str, Any]:
    spaces = (
        None if known.spaces is None else [{"space": each.space, "memories": each.memories} for each in known.spaces]
    )
    return {
        "version": known.version,
        "health": known.health,
        "abilities": {
            ability.what.value: {"answer": ability.answer.value, "reason": ability.reason}
            for ability in known.abilities
        },
        "metrics": {"kind": None if known.metrics is None else known.metrics.value, "reason": known.metrics_reason},
        "spaces": spaces,
        "spaces_reason": known.spaces_reason,
    }


def _recall(timed: TimedRecalls) -> Mapping[str, Any]:
    return {"space": timed.space, "seconds": list(timed.seconds), "reason": timed.reason}


def _memory(memory: Collected) -> Mapping[str, Any]:
    if memory.document is None:
        return {"document": None, "reason": memory.message}
    return {"document": dict(memory.document), "reason": ""}
