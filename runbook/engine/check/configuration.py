"""The keys of a `runbook.toml` that a document shows, against the schema of that file."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Document, Piece
from runbook.engine.check.named import Kind, Named, among


def names_of_keys(document: Document, known: Known) -> Iterator[Named]:
    """Of each block of TOML that has targets; what is no TOML names nothing."""
    parts: dict[int, list[Piece]] = {}
    for piece in document.pieces:
        if piece.language == "toml":
            parts.setdefault(piece.part, []).append(piece)
    for pieces in parts.values():
        try:
            shown = tomllib.loads("\n".join(piece.text for piece in pieces))
        except tomllib.TOMLDecodeError:
            continue
        targets = shown.get("targets")
        tables = targets.values() if isinstance(targets, dict) else ()
        if "default_target" in shown or any("inventory" in each for each in tables if isinstance(each, dict)):
            yield from _keys(shown, known.configuration, pieces, known.configuration)


def _keys(
    shown: Mapping[str, Any], schema: Mapping[str, Any], pieces: list[Piece], whole: Mapping[str, Any]
) -> Iterator[Named]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    for key, value in shown.items():
        if isinstance(rest, bool):
            line = next(
                (p.line for p in pieces if re.search(rf"(?<!\w){re.escape(key)}(?!\w)", p.text)), pieces[0].line
            )
            if not rest:
                yield among(Kind.KEY, key, line, properties)
            below = properties.get(key)
        else:
            below = properties.get(key, rest)
        if isinstance(value, dict) and isinstance(below, dict):
            yield from _keys(value, _followed(below, whole), pieces, whole)


def _followed(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` within the same document leads to."""
    reference = schema.get("$ref", "")
    if not reference.startswith("#/"):
        return schema
    found: Any = whole
    for part in reference[2:].split("/"):
        found = found[part]
    return dict(found)
