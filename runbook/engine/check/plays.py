"""Playbooks, and the inputs that a command line gives them."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Document, Piece, Where
from runbook.engine.check.named import Kind, Named, among, nearest

_PATH = re.compile(r"(?<![\w.-])((?:[\w.~-]*/)*)playbooks/(?:[\w-]+/)*([a-z][\w-]*)\.ya?ml\b")
_BARE = re.compile(r"([a-z]+_[a-z_]+)(\.ya?ml)?")
_OURS = ("set_", "restore_", "emergency_")
"""How our playbooks begin, and hardly anything else in our documents does."""
_SPECIAL = ("ansible_", "engram_")
"""Variables of the inventory, which `-e` may set as well."""


def names_of_playbooks(piece: Piece, known: Known, *, own: bool) -> Iterator[Named]:
    """By path anywhere in code; by the bare name where that stands for itself."""
    if piece.where is Where.PROSE:
        return
    for found in _PATH.finditer(piece.text):
        if own or "/collections/" not in found.group():
            yield among(Kind.PLAYBOOK, found.group(2), piece.line, known.playbooks)
    bare = _BARE.fullmatch(piece.text) if piece.where is Where.INLINE else None
    if bare is None or bare.group(1) in known.settings:
        return
    name = bare.group(1)
    if name in known.playbooks or (own and name.startswith(_OURS)) or nearest(name, known.playbooks, cutoff=0.85):
        yield among(Kind.PLAYBOOK, name, piece.line, known.playbooks)


def names_of_inputs(document: Document, known: Known) -> Iterator[Named]:
    """What `ansible-playbook ... -e` says to one of our playbooks; a quoted JSON may go over several lines."""
    parts: dict[int, list[Piece]] = {}
    for piece in document.pieces:
        if piece.where is not Where.PROSE:
            parts.setdefault(piece.part, []).append(piece)
    for pieces in parts.values():
        whole = "\n".join(piece.text for piece in pieces)
        for found in re.finditer(r"\bansible-playbook\s", whole):
            line = pieces[min(whole.count("\n", 0, found.start()), len(pieces) - 1)].line
            yield from _of_call(_words(whole[found.end() :]), line, known)


def _words(text: str) -> list[str]:
    """Up to the end of the command, which is at the end of a line that is not within quotes."""
    lines = text.split("\n")
    for end in range(1, len(lines) + 1):
        try:
            return shlex.split("\n".join(lines[:end]), comments=True)
        except ValueError:  # a quotation is open: it goes on
            continue
    return []


def _of_call(words: list[str], line: int, known: Known) -> Iterator[Named]:
    named = {found.group(1) for word in words if (found := re.search(r"(?:^|/)([a-z][\w-]*)\.ya?ml$", word))}
    ours = named & set(known.playbooks)
    if not ours:
        return
    inputs = frozenset().union(*(known.playbooks[name] for name in ours))
    for option, value in pairwise(words):
        if option in {"-e", "--extra-vars"}:
            for name in _given(value):
                if not name.startswith(_SPECIAL):
                    yield among(Kind.INPUT, name, line, inputs)


def _given(value: str) -> list[str]:
    if value.lstrip().startswith("{"):
        try:
            document = json.loads(value)
        except ValueError:
            return []
        return [name for name in document if name[:1].islower()] if isinstance(document, dict) else []
    return re.findall(r"(?:^|\s)([a-z_]\w*)=", value)
