"""A YAML file from somebody else: read fast, and without letting it eat the machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.errors import DamagedError

if TYPE_CHECKING:
    import yaml

_LIMIT_BYTES = 4 << 20
_DEEPEST = 64
_MOST_VALUES = 500_000


def read_document(path: Path) -> dict[str, Any] | None:
    """The document as a mapping, or None where only Ansible can read it (vaulted values, inventory plugins).

    Raises:
        DamagedError: it cannot be read, is no YAML mapping, or is too large once its aliases are written out.
    """
    raw = _raw(path)
    if b"!vault" in raw or b"!unsafe" in raw or raw.startswith(b"$ANSIBLE_VAULT;"):
        return None
    import yaml  # noqa: PLC0415  # 26 ms

    try:
        text = raw.decode()
        _check_depth(path, text)
        document = _constructed(path, text)
    except UnicodeDecodeError as error:
        raise DamagedError(f"{path}: byte {error.start}: not UTF-8", hint="save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise DamagedError(f"{path}: {_place(error)}", hint="the format is YAML") from None
    except (ValueError, RecursionError) as error:  # such as a date that does not exist
        raise DamagedError(f"{path}: {error}", hint="put quotes around it") from None
    if not isinstance(document, dict):
        raise DamagedError(f"{path}: no inventory: the document is no mapping of groups", hint="begin with all:")
    return None if "plugin" in document else document


def _raw(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise DamagedError(f"{path}: cannot be read: {error.strerror}", hint="you must be able to read it") from None
    if len(raw) > _LIMIT_BYTES:
        raise DamagedError(f"{path}: larger than {_LIMIT_BYTES >> 20} MiB", hint="is this an inventory?")
    return raw


def _check_depth(path: Path, text: str) -> None:
    """Composing is recursive in C: a deeply nested file would end the process."""
    import yaml  # noqa: PLC0415  # loaded by now

    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise DamagedError(f"{path}: nested deeper than {_DEEPEST}", hint="is this an inventory?")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _constructed(path: Path, text: str) -> Any:
    import yaml  # noqa: PLC0415  # loaded by now

    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if _written_out(root) > _MOST_VALUES:
            raise DamagedError(f"{path}: its aliases stand for too many values", hint="write them out")
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _written_out(root: "yaml.Node") -> float:
    """How many values the document has once every alias is written out; infinite where one holds itself."""
    import yaml  # noqa: PLC0415  # loaded by now

    known: dict[int, float] = {}

    def size(node: "yaml.Node") -> float:
        if id(node) not in known:
            known[id(node)] = float("inf")  # until it is known: a node within itself
            children: list[yaml.Node] = []
            if isinstance(node, yaml.MappingNode):
                children = [part for pair in node.value for part in pair]
            elif isinstance(node, yaml.SequenceNode):
                children = node.value
            known[id(node)] = 1 + sum(size(child) for child in children)
        return known[id(node)]

    return size(root)


def _place(error: "yaml.YAMLError") -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None:
        return str(error).replace("\n", " ")
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
