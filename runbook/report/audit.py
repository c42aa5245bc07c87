"""The journal and its state, as lines for people and as data for `--json`."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from runbook.model.journal import Entry, JournalState
from runbook.report.lines import Line, Style, line, printable

_MOST_SHOWN, _LONGEST_SHOWN = 4, 30
_HEADINGS = ("time (UTC)", "who", "event", "run", "details")


def entry_lines(entries: Iterable[Entry]) -> Iterator[Line]:
    """A table: one entry per line, under headings; columns as wide as their widest cell."""
    rows = [_cells(entry) for entry in entries]
    widths = [max(len(row[column]) for row in (_HEADINGS, *rows)) for column in range(len(_HEADINGS) - 1)]
    yield line(_row(_HEADINGS, widths), Style.STRONG)
    for row in rows:
        yield line(_row(row, widths), hang=4)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), cells[-1]]).rstrip()


def _cells(entry: Entry) -> tuple[str, ...]:
    time = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return (time, printable(f"{entry.who}@{entry.where}"), entry.event.value, entry.run or "-", _details(entry))


def _details(entry: Entry) -> str:
    """Single facts, and a few words that belong together; what is larger only by its size: `--json` shows all of it."""
    told = []
    for key, value in entry.details.items():
        match value:
            case str():
                told.append(f"{key}={printable(value)}")
            case dict() if _is_short(value.values()):
                told.append(f"{key}={{{', '.join(f'{name}: {word}' for name, word in value.items())}}}")
            case list() if _is_short(value):
                told.append(f"{key}=[{', '.join(value)}]")
            case dict() | list():
                told.append(f"{key}=({len(value)})")
            case _:
                told.append(f"{key}={json.dumps(value)}")
    return printable(" ".join(told))


def _is_short(words: Collection[object]) -> bool:
    """Are they so few, and so short, that a line has room for them? The answers of a diagnosis are."""
    short = (isinstance(each, str) and len(each) <= _LONGEST_SHOWN for each in words)
    return 0 < len(words) <= _MOST_SHOWN and all(short)


def state_lines(state: JournalState) -> Iterator[Line]:
    """What was looked at, what was found, and where."""
    yield line(f"journal  {state.path}")
    yield line(f"entries  {state.entries}")
    yield line(f"head     {state.head}")
    if state.torn:
        yield line(f"torn     {state.torn}; the next entry sets it aside", Style.UNSURE, hang=9)
    if state.waiting:
        told = f"{state.waiting} entries that the journal refused, in its second place; the next entry adopts them"
        yield line(f"waiting  {told}", Style.UNSURE, hang=9)
    for damage in state.damage:
        place = f"line {damage.line}, byte {damage.byte}" if damage.line else "sealed head"
        yield line(f"DAMAGED  {place}: {damage.what}", Style.BAD, hang=9)
    if state.sound:
        yield line("sound: every entry is there, in order, as it was written", Style.GOOD)
    else:
        yield line("keep the folder as it is for whoever investigates; no run can be recorded until you run:")
        yield line("runbook audit set-aside --reason TEXT", Style.STRONG, indent=2)


def entry_data(entry: Entry) -> dict[str, Any]:
    """One entry, whole."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "event": entry.event.value,
        "run": entry.run,
        "who": entry.who,
        "where": entry.where,
        "details": dict(entry.details),
    }


def state_data(state: JournalState) -> dict[str, Any]:
    """What a check of the journal found."""
    return {
        "path": state.path,
        "entries": state.entries,
        "head": state.head,
        "sound": state.sound,
        "torn": state.torn or None,
        "waiting": state.waiting,
        "damage": [{"line": each.line, "byte": each.byte, "what": each.what} for each in state.damage],
    }
