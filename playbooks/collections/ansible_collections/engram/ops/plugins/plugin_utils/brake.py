"""The emergency brake on one node: all flags by one request where the node speaks HTTP, else one after the other."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.change import Way, Wish, apply_each
from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode
from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.values import shown

FLAGS: dict[str, tuple[str, ...]] = {
    "features": ("dual_memory.use_blended_recall", "dual_memory.enable_concepts"),
    "full": ("dual_memory.use_blended_recall", "dual_memory.enable_concepts", "dual_memory.enabled"),
}
"""In the order in which they go off where one command takes one flag: nothing asks for what is off already."""
PATH = "/api/v1/admin/features"

Flags = Mapping[str, Any]


def together(node: HttpNode, flags: Sequence[str], *, check: bool) -> dict[str, Any]:
    """Over HTTP: one request, which the node applies as a whole; what it had is not needed for that."""
    result: dict[str, Any] = {"old": None, "read_back": None, "changed": False}
    try:
        _together(node, flags, result, check=check)
    except UnreachableNodeError as problem:
        result |= {"unreachable": True, "reason": problem.reason, "msg": str(problem)}
    except WayError as problem:
        result |= {"failed": True, "reason": problem.reason, "msg": str(problem)}
    if node.retries:
        result["retries"] = node.retries
    return result


def _together(node: HttpNode, flags: Sequence[str], result: dict[str, Any], *, check: bool) -> None:
    old = _read(node, flags, forgiving=not check)
    if old is not None:
        if not old:
            raise WayError("not supported by this node: it has none of the flags", "not_supported")
        result |= {"old": _told(old), "changed": any(old.values()), "diff": _diff(old, dict.fromkeys(old, False))}
    if check:
        result["msg"] = _words(old or {}, "would go off")
        return
    wanted = json.dumps(dict.fromkeys(flags if old is None else old, False)).encode()
    node.ask("POST", PATH, wanted)  # also where all of them are off already: nothing is left to chance here
    now = _read(node, flags, forgiving=False) or {}
    result["read_back"] = _told(now)
    on = [key for key, value in now.items() if value is not False]
    if on or not now:
        told = ", ".join(f"{key} = {shown(now[key])}" for key in on) or "none of the flags"
        raise WayError(f"the node accepted it, but {told} is read back", "ignored")
    silent = [key for key in old or {} if key not in now]
    if silent:
        raise WayError(f"the node accepted it, but {', '.join(silent)} is not read back", "ignored")
    result |= {"changed": old is None or any(old.values()), "msg": _words(old or {}, "went off")}


def _read(node: HttpNode, flags: Sequence[str], *, forgiving: bool) -> Flags | None:
    """The flags that the node has; None where it does not tell, and that is forgiven."""
    try:
        document = node.ask("GET", PATH)
    except WayError:
        if forgiving:
            return None
        raise
    return {key: document[key] for key in flags if key in document}


def one_by_one(way_for: Callable[[Wish], Way], flags: Sequence[str], *, check: bool) -> dict[str, Any]:
    """Flag by flag, in order. One that fails keeps none of the others from it; the result is that of all."""
    result = apply_each(way_for, [Wish(key, value=False) for key in flags], check=check)
    return result | {word: _told(result[word]) for word in ("old", "read_back")}


def _told(values: Flags) -> list[str]:
    """As texts, KEY=true: what Ansible shows, and the caller reads."""
    return [f"{key}={shown(value)}" for key, value in values.items() if value is not None]


def _words(old: Flags, verb: str) -> str:
    on = [key for key, value in old.items() if value is not False]
    return f"{', '.join(on)} {verb}" if on else "all flags are off"


def _diff(before: Flags, after: Flags) -> dict[str, str]:
    def text(values: Flags) -> str:
        return "".join(f"{line}\n" for line in _told(values))

    return {"before_header": "flags", "after_header": "flags", "before": text(before), "after": text(after)}
