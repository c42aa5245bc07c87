"""What `runbook notify` did and knows, as text and as JSON. A receiver is told by its name, never by its URL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.engine.notify.deliver import Delivered
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import START, Cursor, Failure
from runbook.report.lines import Line, Style, line

NOBODY = "Nobody is told of anything: the configuration has no [notify.NAME]."


@dataclass(frozen=True, slots=True)
class Standing:
    """One receiver: how it is told, how far it is, how many messages are due to it.

    `problem` is with its cursor, or is what keeps anything from being sent to it.
    """

    settings: ReceiverSettings
    cursor: Cursor | None
    due: int
    problem: str = ""

    @property
    def good(self) -> bool:
        """Is it told what it wants to know?"""
        waiting = self.cursor is not None and self.cursor.waiting is not None
        return not self.problem and not waiting


def delivered_lines(found: Sequence[Delivered], broken: Mapping[str, str]) -> Iterator[Line]:
    """How each receiver fared."""
    if not found and not broken:
        yield line(NOBODY, Style.FAINT)
    for each in found:
        text = f"{each.receiver}: {each.sent} told, {each.given_up} given up, {each.waiting} waiting"
        style = Style.GOOD if not each.why and not each.given_up else Style.BAD
        yield line(text + (f": {each.why}" if each.why else ""), style)
    yield from (line(f"{name}: {why}", Style.BAD) for name, why in broken.items())


def delivered_data(found: Iterable[Delivered], broken: Mapping[str, str]) -> dict[str, Any]:
    """The same as JSON."""
    rows = [
        {
            "receiver": each.receiver,
            "sent": each.sent,
            "given_up": each.given_up,
            "waiting": each.waiting,
            "why": each.why or None,
        }
        for each in found
    ]
    return {"receivers": rows, "broken": _broken(broken)}


def status_lines(found: Sequence[Standing], broken: Mapping[str, str]) -> Iterator[Line]:
    """Each receiver with what it wants to know, and how far it is."""
    if not found and not broken:
        yield line(NOBODY, Style.FAINT)
    for each in found:
        yield line(f"{each.settings.name}  {told_how(each.settings)}", Style.STRONG)
        yield from (line(text, style, indent=2, hang=2) for text, style in _status(each))
    yield from (line(f"{name}: {why}", Style.BAD) for name, why in broken.items())


def told_how(settings: ReceiverSettings) -> str:
    """The template and the classes, without where it goes."""
    whose = f" of {', '.join(settings.targets)}" if settings.targets else ""
    return f"{settings.template}: {', '.join(settings.events)}{whose}"


def _status(each: Standing) -> Iterator[tuple[str, Style]]:
    if each.problem:
        yield each.problem, Style.BAD
    if each.cursor is None:
        yield "nothing of the journal was told to it yet; a test does not count", Style.FAINT
        return
    cursor = each.cursor
    last = "" if cursor.sent_at is None else f", the last at {cursor.sent_at.isoformat(timespec='seconds')}"
    yield f"{cursor.sent} told{last}; {each.due} due; it {cursor.since}", Style.PLAIN
    if cursor.waiting is not None:
        yield f"entry {cursor.waiting.seq} waits: {cursor.waiting.why}", Style.BAD
    if cursor.given_up:
        yield f"{cursor.given_up} given up{_last(cursor.failed)}", Style.UNSURE
    if cursor.left_out:
        yield f"{cursor.left_out} left out: too many were due at once", Style.UNSURE


def _last(failed: Failure | None) -> str:
    return "" if failed is None else f", the last at {failed.at.isoformat(timespec='seconds')}: {failed.why}"


def status_data(found: Iterable[Standing], broken: Mapping[str, str]) -> dict[str, Any]:
    """The same as JSON."""
    return {"receivers": [_standing(each) for each in found], "broken": _broken(broken)}


def _standing(each: Standing) -> dict[str, Any]:
    cursor, settings = each.cursor or Cursor(START), each.settings
    return {
        "receiver": settings.name,
        "template": settings.template,
        "events": list(settings.events),
        "targets": list(settings.targets),
        "due": each.due,
        "since": cursor.since or None,
        "told_to_entry": cursor.position.seq,
        "sent": cursor.sent,
        "sent_at": None if cursor.sent_at is None else cursor.sent_at.isoformat(),
        "given_up": cursor.given_up,
        "left_out": cursor.left_out,
        "waiting": _failure(cursor.waiting),
        "failed": _failure(cursor.failed),
        "problem": each.problem or None,
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else {"entry": failure.seq, "at": failure.at.isoformat(), "why": failure.why}


def _broken(broken: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"receiver": name, "why": why} for name, why in broken.items()]
