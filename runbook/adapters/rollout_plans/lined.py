"""YAML in which every value knows its line: no aliases, no dates, no key twice, bounded in size and depth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.errors import DamagedError

if TYPE_CHECKING:
    import yaml

_DEEPEST = 32
_MOST_VALUES = 20_000
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}
_DATE = "tag:yaml.org,2002:timestamp"

Place = tuple[str | int, ...]


@dataclass(slots=True)
class Lined:
    """A document, and the line (from 1) of each of its places."""

    document: Any = None
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of that place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def lined(path: str, text: str) -> Lined:
    """Read it.

    Raises:
        DamagedError: it is no YAML, or no plain one; the line is named.
    """
    import yaml  # noqa: PLC0415  # 26 ms

    found = Lined()
    try:
        _check(path, text)
        loader = yaml.CSafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is not None:
                found.document = _built(path, loader, root, (), found.lines)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise DamagedError(f"{path}: {place}{problem}".replace("\n", " "), hint="the format is YAML") from None
    return found


def _check(path: str, text: str) -> None:
    """Composing is recursive in C, and an alias may stand for the whole machine: looked at before."""
    import yaml  # noqa: PLC0415  # loaded by now

    depth = values = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = f"{path}: line {event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            raise DamagedError(f"{line}: an alias is not taken here", hint="write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        values += isinstance(event, yaml.NodeEvent)
        if depth > _DEEPEST or values > _MOST_VALUES:
            what = f"nested deeper than {_DEEPEST}" if depth > _DEEPEST else f"more than {_MOST_VALUES} values"
            raise DamagedError(f"{line}: {what}", hint="is this a rollout plan?")


def _built(path: str, loader: Any, node: "yaml.Node", place: Place, lines: dict[Place, int]) -> Any:
    import yaml  # noqa: PLC0415  # loaded by now

    lines.setdefault(place, node.start_mark.line + 1)
    where = f"{path}: line {node.start_mark.line + 1}"
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_built(path, loader, each, (*place, index), lines) for index, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return _mapping(path, loader, node, place, lines)
    if isinstance(node, yaml.ScalarNode) and node.tag == _DATE:
        return node.value  # a moment is read by who knows that it is one
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN:
        raise DamagedError(
            f"{where}: {dotted(place)}: a value of type {node.tag} is not taken", hint="write it plainly"
        )
    try:
        value = loader.construct_object(node)
    except ValueError as error:
        raise DamagedError(f"{where}: {dotted(place)}: {error}", hint="put quotes around it") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise DamagedError(f"{where}: {dotted(place)}: {node.value} is no number", hint="write a number")
    return value


def _mapping(
    path: str, loader: Any, node: "yaml.MappingNode", place: Place, lines: dict[Place, int]
) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        where = f"{path}: line {key.start_mark.line + 1}"
        if key.tag != "tag:yaml.org,2002:str":
            raise DamagedError(f"{where}: {dotted(place)}: a key must be a text", hint="put quotes around it")
        if key.value in found:
            raise DamagedError(f"{where}: {dotted((*place, key.value))}: the key stands there twice", hint="remove one")
        lines[*place, key.value] = key.start_mark.line + 1
        found[key.value] = _built(path, loader, value, (*place, key.value), lines)
    return found


def dotted(place: Place) -> str:
    """A place for people, counting from 0 as the document's paths do: `phases[2].shares[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the document"
