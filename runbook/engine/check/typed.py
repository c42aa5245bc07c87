"""Names in what is no Markdown: the fields and the sentences of an issue; the lines of a YAML file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from runbook.engine.check.commands import lone_options, names_of_commands
from runbook.engine.check.endpoints import names_of_endpoints
from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Piece, Where
from runbook.engine.check.metrics import names_of_metrics, names_of_settings, names_of_variables
from runbook.engine.check.named import Kind, Named, among


def names_in_issue(issue: Any, source: str, known: Known) -> Iterator[Named]:
    """Every name of the issue, on the first line of its source that says it."""
    lines = source.splitlines()
    for named in _names(issue, known):
        word = named.name.rpartition(" ")[2]
        line = next((number for number, line in enumerate(lines, start=1) if word in line), 1)
        yield Named(named.kind, named.name, line, named.exists, named.meant, named.note)


def names_in_material(text: str, known: Known) -> Iterator[Named]:
    """What a file of YAML says, such as a playbook or rules of alerts: line by line, comments too."""
    for number, line in enumerate(text.splitlines(), start=1):
        piece = Piece(Where.BLOCK, line, number, 0, "yaml")
        yield from names_of_commands(piece, known)
        yield from names_of_settings(piece, known)
        yield from names_of_metrics(piece, known, own=True)
        yield from names_of_variables(piece, known)
        yield from names_of_endpoints(piece, known)


def _names(part: Any, known: Known) -> Iterator[Named]:
    """Whatever an issue is made of: found by walking its fields, so that a new kind of part is checked too."""
    if isinstance(part, Enum):
        return
    if is_dataclass(part) and not isinstance(part, type):
        for field in fields(part):
            yield from _field(field.name, getattr(part, field.name), known)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _names(value, known)
    elif isinstance(part, tuple | list):
        for each in part:
            yield from _names(each, known)
    elif isinstance(part, str):
        yield from _said(part, known)


def _field(name: str, value: Any, known: Known) -> Iterator[Named]:
    match name, value:
        case ("key", str()) if value:
            yield among(Kind.SETTING, value, 1, known.settings)
        case _, str() if value and name.endswith("_key"):
            yield among(Kind.SETTING, value, 1, known.settings)
        case ("drill", str()) if value:
            yield among(Kind.FAULT, value, 1, known.faults)
        case ("metric" | "whole", str()) if value:
            yield among(Kind.METRIC, value, 1, known.series)
        case ("playbook", str()) if value:
            yield among(Kind.PLAYBOOK, value, 1, known.playbooks)
        case _:
            yield from _names(value, known)


def _said(text: str, known: Known) -> Iterator[Named]:
    """A sentence: what stands in backticks is code, and so are options, whatever they stand in."""
    piece = Piece(Where.PROSE, text, 1, 0)
    yield from names_of_settings(piece, known)
    yield from names_of_metrics(piece, known, own=True)
    yield from names_of_endpoints(piece, known)
    for found in re.finditer(r"(?<![\w-])--[a-z][a-z-]+", text):
        yield from lone_options(found.group(), 1, known, own=True)
    for code in re.findall(r"`([^`]+)`", text):
        yield from names_of_commands(Piece(Where.INLINE, code, 1, 0), known)
    for command in re.findall(r"(?<![\w`-])(runbook [a-z][a-z-]+(?: [a-z][a-z-]+)?)", re.sub(r"`[^`]*`", "", text)):
        known_one = command.split()[1] in known.commands.children or "-" in command.split()[1]
        if known_one:
            yield from names_of_commands(Piece(Where.BLOCK, command, 1, 0), known)
