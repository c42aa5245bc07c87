"""Values of settings: compared as what they are, not as they are written."""

import json
import math
from typing import Any

CLOSE = 1e-6
"""Relative distance at which two numbers are one: a node may keep single precision."""


def plain(value: Any) -> Any:
    """The value without Ansible's wrappers, ready for JSON."""
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return [str(item) for item in value] if isinstance(value, list | tuple) else value


def same(one: Any, other: Any) -> bool:
    """Are both one value? True is not 1, "5" is not 5, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=CLOSE)
    return type(one) is type(other) and bool(one == other)


def read_as(text: Any, like: Any) -> Any:
    """A text as a value of the type that `like` has; what does not read as one stays the text that it is.

    `-e value=0.05` on the command line gives a text, and so does a command that prints a value.
    """
    if not isinstance(text, str) or isinstance(like, str):
        return text
    word = text.strip()
    if isinstance(like, bool):
        return {"true": True, "false": False}.get(word.lower(), text)
    if isinstance(like, list):
        return [part.strip() for part in word.split(",") if part.strip()]
    for number in (int, float) if isinstance(like, int | float) else ():
        try:
            return number(word)
        except ValueError:
            continue
    return text


def written(value: Any) -> str:
    """The value as one argument of a command."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def shown(value: Any) -> str:
    """The value as a person reads it in a message."""
    return json.dumps(value, ensure_ascii=False, default=str)
