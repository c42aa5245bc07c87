"""Pages and tables."""

from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by tools/write_reference.py from the code; do not edit. -->"


def page(heading: str, parts: Iterable[str]) -> str:
    """A whole page."""
    return "\n\n".join([heading, NOTE, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` within a cell would end it."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
