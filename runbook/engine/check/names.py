"""Everything that a document names, in the order of its lines."""

import re
from collections.abc import Iterator
from operator import attrgetter
from urllib.parse import unquote

from runbook.engine.check.commands import lone_options, names_of_commands
from runbook.engine.check.configuration import names_of_keys
from runbook.engine.check.endpoints import names_of_endpoints
from runbook.engine.check.known import Known, Surroundings
from runbook.engine.check.markdown import Document, Piece, Where
from runbook.engine.check.metrics import names_of_metrics, names_of_settings, names_of_variables
from runbook.engine.check.named import FILE_ENDINGS, Kind, Named, among, nearest
from runbook.engine.check.plays import names_of_inputs, names_of_playbooks

_EXIT = re.compile(r"(?i)\bexit(?:s|ed)?(?: with)?(?: code| status) (\d+)\b|\(exit (\d+)\)|\bexits? with (\d+)\b")
_ANYBODY_S = frozenset({Kind.FILE, Kind.LINK, Kind.ANCHOR})
_CALLED = re.compile(r"\brunbook [a-z-]+")
_KILLED = 128
"""From here up a shell tells by which signal a program ended."""
_FOLDERS = "benchmarks|deployment|docs|migrations|monitoring|playbooks|runbook|schemas|tests|tools"
_OWN_FILE = re.compile(rf"(?<![\w./~<>$-])(?:{_FOLDERS})/[\w./*-]*")
_THEIR_FILE = re.compile(
    rf"(?<![\w./~<>$-])(?:{_FOLDERS}|scripts|deployments)/[\w./-]*\.(?:{'|'.join(sorted(FILE_ENDINGS))})\b"
)
_EVENT = re.compile(r"([a-z]+)\.([a-z_-]+)")


def names_in(document: Document, known: Known, around: Surroundings, *, own: bool) -> list[Named]:
    """Each name, with whether it exists.

    In a document of our `own` everything that looks like a name must be one; in anybody else's, only what is
    unmistakably meant for this system.
    """
    names = sorted(_names(document, known, around, own=own), key=attrgetter("line"))
    if own or any(named.kind not in _ANYBODY_S for named in names):
        return names
    return [named for named in names if named.kind is not Kind.FILE]  # it is about something else


def _names(document: Document, known: Known, around: Surroundings, *, own: bool) -> Iterator[Named]:
    ours = {piece.part for piece in document.pieces if own or _CALLED.search(piece.text)}
    for piece in document.pieces:
        yield from names_of_commands(piece, known)
        if piece.where is Where.INLINE and ours:
            yield from lone_options(piece.text, piece.line, known, own=own)
        yield from names_of_settings(piece, known)
        yield from names_of_metrics(piece, known, own=own)
        yield from names_of_variables(piece, known)
        yield from names_of_endpoints(piece, known)
        yield from names_of_playbooks(piece, known, own=own)
        yield from _files(piece, around, own=own)
        if piece.part in ours:
            yield from _exit_codes(piece, known)
        if own:
            yield from _events(piece, known)
    yield from names_of_inputs(document, known)
    yield from names_of_keys(document, known)
    yield from _links(document, around)


def _exit_codes(piece: Piece, known: Known) -> Iterator[Named]:
    """Said in words, or standing alone in the column of a table that is called so."""
    said = [next(filter(None, found.groups())) for found in _EXIT.finditer(piece.text)]
    if "exit code" in piece.heading.lower() and piece.text.strip().isdecimal():
        said.append(piece.text.strip())
    for code in map(int, said):
        exists = code in known.exit_codes or code > _KILLED
        yield Named(Kind.EXIT_CODE, str(code), piece.line, exists)


def _files(piece: Piece, around: Surroundings, *, own: bool) -> Iterator[Named]:
    if piece.where is not Where.INLINE and (own or piece.where is Where.PROSE):
        return
    for found in (_OWN_FILE if own else _THEIR_FILE).finditer(piece.text):
        name = found.group().rstrip(".")
        if not re.search(
            r"[A-Z]{3}|^playbooks/\w+\.yml$", name
        ):  # NAME and the like; playbooks have a kind of their own
            yield Named(Kind.FILE, name, piece.line, around.has(name))


def _events(piece: Piece, known: Known) -> Iterator[Named]:
    found = _EVENT.fullmatch(piece.text) if piece.where is Where.INLINE else None
    prefixes = {event.partition(".")[0] for event in known.events}
    if found and found.group(1) in prefixes and found.group(2) not in FILE_ENDINGS:
        yield among(Kind.EVENT, piece.text, piece.line, known.events)


def _links(document: Document, around: Surroundings) -> Iterator[Named]:
    for link in document.links:
        name, _, anchor = unquote(link.to).partition("#")
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/", name):
            continue  # the web is not asked
        if name and not around.linked(name):
            yield Named(Kind.LINK, link.to, link.line, exists=False)
            continue
        anchors = around.anchors(name) if name else document.anchors
        if anchor and anchors is not None:
            exists = anchor in anchors
            yield Named(Kind.ANCHOR, link.to, link.line, exists, "" if exists else nearest(anchor, anchors))
        else:
            yield Named(Kind.LINK, link.to, link.line)
