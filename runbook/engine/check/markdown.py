"""A Markdown document as the pieces that can name something: prose, code within it, blocks of code, links, headings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

ELSEWHERE, HERE = "<!-- runbook check: another system -->", "<!-- runbook check: this system -->"
"""Between these comments stand the names of another system."""


class Where(StrEnum):
    """What kind of text a piece is."""

    PROSE = "prose"
    INLINE = "inline"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text that begins on a line (1-based). `language` is a block's, `heading` that of a table's first column.

    `part` numbers the paragraph, row or block that the piece belongs to.
    """

    where: Where
    text: str
    line: int
    part: int
    language: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads, as it is written."""

    to: str
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """What was read. `passed_over` lines are marked as another system's."""

    pieces: tuple[Piece, ...]
    links: tuple[Link, ...]
    anchors: frozenset[str]
    passed_over: int = 0


def read(text: str) -> Document:
    """The document's pieces, in their order."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only who checks pays for it

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    elsewhere = _elsewhere(tokens, text.count("\n") + 1)
    pieces = tuple(piece for piece in _pieces(tokens) if piece.line not in elsewhere)
    links = tuple(link for token in tokens for link in _links(token) if link.line not in elsewhere)
    return Document(pieces, links, frozenset(_anchors(tokens)), len(elsewhere))


def _elsewhere(tokens: Sequence["Token"], last: int) -> frozenset[int]:
    """The lines between the comments; one that is shown in a block of code is none."""
    found: set[int] = set()
    begin = 0
    for token in tokens:
        comment = token.content.strip() if token.type == "html_block" else ""
        line = (token.map or [0])[0] + 1
        if comment == ELSEWHERE:
            begin = begin or line
        elif comment == HERE and begin:
            found.update(range(begin, line + 1))
            begin = 0
    return frozenset(found.union(range(begin, last + 1) if begin else ()))


def _pieces(tokens: Sequence["Token"]) -> Iterator[Piece]:
    headings: list[str] = []
    row = column = 0
    for part, token in enumerate(tokens):
        match token.type:
            case "table_open":
                headings = []
            case "tr_open":
                row, column = part, 0
            case "fence" | "code_block":
                yield from _block(token, part)
            case "inline":
                opened = tokens[part - 1].type
                if opened == "th_open":
                    headings.append(token.content)
                first = headings[0] if opened == "td_open" and column == 0 and headings else ""
                column += opened == "td_open"
                yield from _inline(token, row if opened == "td_open" else part, first)


def _block(token: "Token", part: int) -> Iterator[Piece]:
    """One piece for each line, continued ones joined."""
    language = (token.info.split() or [""])[0].lower()
    begin = (token.map or [0])[0] + (1 if token.type == "fence" else 0)
    whole, start = "", 0
    for number, line in enumerate(token.content.splitlines(), start=begin + 1):
        start = start if whole else number
        if line.endswith("\\"):
            whole += line[:-1] + " "
            continue
        yield Piece(Where.BLOCK, whole + line, start, part, language)
        whole = ""
    if whole:
        yield Piece(Where.BLOCK, whole, start, part, language)


def _placed(token: "Token") -> Iterator[tuple["Token", int]]:
    """The parts of a paragraph, each with the line on which it begins."""
    flat, place = token.content.replace("\n", " "), 0
    first = (token.map or [0])[0] + 1
    for child in token.children or []:
        found = flat.find(child.content, place) if child.content else place
        place = found if found >= 0 else place
        yield child, first + token.content.count("\n", 0, place)
        place += len(child.content) + (child.type in {"softbreak", "hardbreak"})


def _inline(token: "Token", part: int, heading: str) -> Iterator[Piece]:
    for child, line in _placed(token):
        if child.type == "code_inline":
            yield Piece(Where.INLINE, child.content, line, part, heading=heading)
        elif child.type == "text" and child.content.strip():
            yield Piece(Where.PROSE, child.content, line, part, heading=heading)


def _links(token: "Token") -> Iterator[Link]:
    for child, line in _placed(token) if token.type == "inline" else ():
        to = child.attrs.get("href") or child.attrs.get("src")
        if to:
            yield Link(str(to), line)


def _anchors(tokens: Sequence["Token"]) -> Iterator[str]:
    """As GitHub and others make them of headings, and those that are written in HTML."""
    seen: dict[str, int] = {}
    for opened, token in pairwise(tokens):
        if opened.type == "heading_open":
            title = "".join(child.content for child in token.children or [])
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            yield f"{slug}-{count}" if count else slug
    for token in tokens:
        yield from re.findall(r"""<a (?:id|name)=["']([^"']+)""", token.content)
