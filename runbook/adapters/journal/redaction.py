"""No secret enters the journal: what looks like one is masked, by its name or by its shape."""

import math
import re
from collections.abc import Mapping
from typing import Any

MASK = "[redacted]"

_LARGEST = 2**63 - 1  # an integer beyond it is not the same to every reader of JSON
_NAME = re.compile(r"token|passw|secret|authori[sz]ation|credential|api_?key|private_?key|cookie", re.IGNORECASE)
_PLACE = re.compile(r"_(file|path)$", re.IGNORECASE)  # where a secret lies is no secret
_SUSPECT = re.compile(r"bearer|authorization|://|token|passw|secret|api_?key", re.IGNORECASE)  # without it, no shape
_SHAPES = (
    (re.compile(r"\b(authorization\s*[=:]\s*)(?:[a-z]+\s+)?[^\s,;]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(bearer)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(://)[^/\s@]+@"), rf"\1{MASK}@"),
    (
        re.compile(r"\b((?:[\w-]*(?:token|passw(?:or)?d|secret|api_?key))\s*[=:]\s*)[^\s,;&]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
)


def clean(value: Any) -> Any:
    """The value as JSON can carry it, without what looks like a secret.

    What JSON has no word for (NaN, an integer beyond 64 bits, an object) is kept as its text, never as null. Text
    that is no Unicode (an argument typed in another encoding) keeps its bytes as escapes.
    """
    match value:
        case str():
            return _clean_text(value)
        case Mapping():
            return {_clean_text(str(key)): _clean_member(str(key), member) for key, member in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
        case None | int() | float() if value is None or _has_word(value):
            return value
        case _:
            return _clean_text(str(value))


def _has_word(number: float) -> bool:
    return abs(number) <= _LARGEST if isinstance(number, int) else math.isfinite(number)


def _clean_member(key: str, value: Any) -> Any:
    return MASK if _NAME.search(key) and not _PLACE.search(key) and value is not None else clean(value)


def _clean_text(text: str) -> str:
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    if _SUSPECT.search(text):
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
    return text
