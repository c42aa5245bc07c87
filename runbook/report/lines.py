"""Lines of text for people: spans with a meaning, not a colour; the screen decides how a meaning looks."""

from dataclasses import dataclass
from enum import StrEnum

from runbook.model.answer import Answer
from runbook.model.settings import Value


class Style(StrEnum):
    """What a span means."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    STRONG = "strong"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: (text, style) spans behind an indent of so many columns; continued lines hang deeper."""

    spans: tuple[tuple[str, Style], ...]
    indent: int = 0
    hang: int = 0

    @property
    def text(self) -> str:
        """The line without its styles."""
        return " " * self.indent + "".join(text for text, _ in self.spans)


def line(text: str, style: Style = Style.PLAIN, indent: int = 0, hang: int = 0) -> Line:
    """A line of one span."""
    return Line(((text, style),), indent, hang)


EMPTY = line("")


def printable(text: str) -> str:
    """The text without what could move a terminal's cursor: a node's words, or a person's, may hold anything."""
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


# For a symptom and a check YES is bad news; for an expectation it is good news.
SYMPTOM_STYLES = {Answer.YES: Style.BAD, Answer.NO: Style.GOOD, Answer.UNKNOWN: Style.UNSURE}
EXPECTATION_STYLES = {Answer.YES: Style.GOOD, Answer.NO: Style.BAD, Answer.UNKNOWN: Style.UNSURE}


def shown(value: Value | None) -> str:
    """A setting's value as a person types it."""
    match value:
        case None:
            return "?"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(value) or "(none)"
        case _:
            return str(value)
