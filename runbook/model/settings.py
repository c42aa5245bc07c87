"""The flags and tunables of a node: name, type, range, default. The single source for all who ask.

The sandbox validates with it, the commands complete and check with it, the documents are generated from it.
Defaults are upstream Engram's where upstream has them (coherence 0.65, cluster 3, weight 0.3, sample rate 0.1).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from runbook.errors import UsageError

Value = bool | int | float | str | tuple[str, ...]
Settings = Mapping[str, Value]
Number = TypeVar("Number", int, float)

CLOSE = 1e-6
"""Relative distance at which two numbers are one: a node may keep single precision."""


class Type(StrEnum):
    """The type of a setting's value."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    LIST = "list"


class Kind(StrEnum):
    """A feature is a flag, switched atomically with its peers; a config value is tuned."""

    FEATURE = "feature"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; `minimum` and `maximum` are inclusive and bound numbers and integers only.

    `longest` bounds a text, in characters.
    """

    key: str
    kind: Kind
    type: Type
    default: Value
    summary: str
    minimum: float | None = None
    maximum: float | None = None
    longest: int | None = None


def _feature(key: str, summary: str) -> Setting:
    return Setting(key, Kind.FEATURE, Type.BOOLEAN, default=True, summary=summary)


_ALL = (
    _feature("dual_memory.enabled", "dual memory as a whole"),
    _feature("dual_memory.enable_concepts", "consolidation forms concepts"),
    _feature("dual_memory.use_blended_recall", "recall of the treatment group goes through concepts too"),
    Setting(
        "dual_memory.coherence_threshold",
        Kind.CONFIG,
        Type.NUMBER,
        0.65,
        "mean pairwise cosine that a cluster needs to become a concept",
        0.0,
        1.0,
    ),
    Setting(
        "dual_memory.concept_sample_rate",
        Kind.CONFIG,
        Type.NUMBER,
        0.1,
        "share of the eligible clusters that become concepts",
        0.0,
        1.0,
    ),
    Setting(
        "dual_memory.min_cluster_size",
        Kind.CONFIG,
        Type.INTEGER,
        3,
        "episodes that a cluster needs to become a concept",
        2,
        1_000_000,
    ),
    Setting(
        "dual_memory.semantic_weight",
        Kind.CONFIG,
        Type.NUMBER,
        0.3,
        "weight of the path through concepts in blended recall",
        0.0,
        1.0,
    ),
    Setting(
        "dual_memory.concept_cache_size",
        Kind.CONFIG,
        Type.INTEGER,
        1024,
        "concepts kept ready for recall; 0 is no cache",
        0,
        10_000_000,
    ),
    Setting(
        "dual_memory.binding_cleanup",
        Kind.CONFIG,
        Type.BOOLEAN,
        default=True,
        summary="dead bindings are collected after each consolidation",
    ),
    Setting(
        "dual_memory.treatment_rate",
        Kind.CONFIG,
        Type.NUMBER,
        1.0,
        "share of the spaces in the treatment group",
        0.0,
        1.0,
    ),
    Setting(
        "dual_memory.treatment_salt",
        Kind.CONFIG,
        Type.TEXT,
        "dual-memory",
        "salt of the assignment of spaces to groups",
        longest=256,
    ),
    Setting(
        "dual_memory.treatment_spaces", Kind.CONFIG, Type.LIST, (), "spaces that are always in the treatment group"
    ),
)

CATALOGUE: Mapping[str, Setting] = {setting.key: setting for setting in _ALL}


def defaults() -> dict[str, Value]:
    """A new node's settings."""
    return {key: setting.default for key, setting in CATALOGUE.items()}


def setting_of(key: str) -> Setting:
    """The setting of that name.

    Raises:
        UsageError: there is none; the hint lists those that there are.
    """
    try:
        return CATALOGUE[key]
    except KeyError:
        raise UsageError(f"no setting is called {key!r}", hint=f"one of: {', '.join(CATALOGUE)}") from None


def same(one: object, other: object) -> bool:
    """Are both one value, as the plays see it? True is not 1, and 0.05 is 0.05 in single precision too."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=CLOSE)
    return one == other


def checked(setting: Setting, value: Any) -> Value:
    """The value as the setting's own type, or a refusal that says what is allowed.

    Numbers are not taken for booleans nor the other way round; a whole number passes as a number.

    Raises:
        UsageError: wrong type, not finite, or out of range.
    """
    match setting.type:
        case Type.BOOLEAN if isinstance(value, bool):
            return value
        case Type.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            return _within(setting, value)
        case Type.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return float(_within(setting, math.nan if value in (math.inf, -math.inf) else value))
        case Type.TEXT if isinstance(value, str):
            return _short_enough(setting, value)
        case Type.LIST if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        case _:
            raise UsageError(f"{setting.key} takes a value of type {setting.type.value}, not {value!r}")


def _short_enough(setting: Setting, value: str) -> str:
    if setting.longest is not None and len(value) > setting.longest:
        raise UsageError(
            f"{setting.key} has {len(value)} characters", hint=f"allowed: {setting.longest} characters at most"
        )
    return value


def _within(setting: Setting, value: Number) -> Number:
    low = -math.inf if setting.minimum is None else setting.minimum
    high = math.inf if setting.maximum is None else setting.maximum
    if not low <= value <= high:
        raise UsageError(f"{setting.key} = {value} is out of range", hint=f"allowed: {low:g} to {high:g}")
    return value


def parsed(setting: Setting, text: str) -> Value:
    """The value that a person typed, as `engram config set KEY VALUE` takes it.

    Raises:
        UsageError: it does not read as the setting's type, or is out of range.
    """
    word = text.strip()
    try:
        match setting.type:
            case Type.BOOLEAN:
                value: Any = {"true": True, "false": False}[word.lower()]
            case Type.INTEGER:
                value = int(word)
            case Type.NUMBER:
                value = float(word)
            case Type.TEXT:
                value = text
            case Type.LIST:
                value = tuple(part.strip() for part in word.split(",") if part.strip())
    except (KeyError, ValueError):
        raise UsageError(f"{setting.key} takes a value of type {setting.type.value}, not {text!r}") from None
    return checked(setting, value)
