"""Compare, set, and read back: the same whichever way leads to the node."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.values import plain, read_as, same, shown


class Way(Protocol):
    """How a setting of one node is read and written."""

    @property
    def retries(self) -> list[str]:
        """What was tried again, and why."""
        ...

    def read(self, key: str, like: Any) -> Any:
        """The node's value; `like` tells the type where the way itself knows only text."""
        ...

    def write(self, key: str, value: Any) -> None:
        """Ask the node to take the value; whether it did is for `read` to say."""
        ...

    def settle(self, key: str, value: Any, *, check: bool) -> str:
        """See that a value that is in effect lasts; what was, or would be, done for it, or the empty text."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What the setting should become; with `expected` only where it still has that value, or the new one already."""

    key: str
    value: Any
    expected: Any = None


def by_name(told: Any) -> dict[str, Any]:
    """Several settings by name, ready for JSON; those that are null stay as they are.

    Raises:
        WayError: it is no such mapping.
    """
    if not isinstance(told, Mapping):
        raise WayError("without `key`, each host of `value_by_host` has several settings by name", "usage")
    return {str(name): plain(value) for name, value in told.items() if value is not None}


def apply(way: Way, wish: Wish, *, check: bool) -> dict[str, Any]:
    """Make it so, unless `check` only asks what would happen; the result as Ansible shows it."""
    result: dict[str, Any] = {"key": wish.key, "old": None, "new": wish.value, "read_back": None, "changed": False}
    try:
        _apply(way, wish, result, check=check)
    except UnreachableNodeError as problem:
        result |= {"unreachable": True, "reason": problem.reason, "msg": str(problem)}
    except WayError as problem:
        result |= {"failed": True, "reason": problem.reason, "msg": str(problem)}
    if way.retries:
        result["retries"] = way.retries
        result["msg"] += f" (tried again {len(way.retries)} x: {way.retries[-1]})"
    return result


def apply_each(way_for: Callable[[Wish], Way], wishes: Sequence[Wish], *, check: bool) -> dict[str, Any]:
    """One after the other, in order. One that fails keeps none of the others from it; the result is that of all.

    What a setting was and is, is told by its name.
    """
    done = {wish.key: apply(way_for(wish), wish, check=check) for wish in wishes}
    result: dict[str, Any] = {
        **{word: {key: each[word] for key, each in done.items()} for word in ("old", "read_back")},
        "changed": any(each["changed"] for each in done.values()),
        "diff": [each["diff"] for each in done.values() if "diff" in each],
        "msg": "; ".join(dict.fromkeys(str(each["msg"]) for each in done.values())),
    }
    for word in ("unreachable", "failed"):
        broken = next((each for each in done.values() if each.get(word)), None)
        if broken is not None:
            return result | {word: True, "reason": broken["reason"]}
    return result


def _apply(way: Way, wish: Wish, result: dict[str, Any], *, check: bool) -> None:
    if wish.value is None:
        raise WayError("no value for this host: give `value`, or name the host in `value_by_host`", "usage")
    if isinstance(wish.value, float) and not math.isfinite(wish.value):
        raise WayError(f"{wish.value} is not a value for a setting", "usage")
    old = result["old"] = way.read(wish.key, wish.value)
    new = result["new"] = read_as(wish.value, old)
    if same(old, new):
        mended = way.settle(wish.key, new, check=check)
        result |= {"read_back": old, "changed": bool(mended), "msg": mended or f"{wish.key} is {shown(new)} already"}
        return
    if wish.expected is not None and not same(old, read_as(wish.expected, old)):
        what = f"{wish.key} is {shown(old)}: neither {shown(wish.expected)}, as expected, nor {shown(new)}"
        raise WayError(f"{what}; someone changed it since", "conflict")
    result["diff"] = {
        "before_header": wish.key,
        "after_header": wish.key,
        "before": f"{shown(old)}\n",
        "after": f"{shown(new)}\n",
    }
    if check:
        result |= {"changed": True, "msg": f"{wish.key} would become {shown(new)}, and is {shown(old)}"}
        return
    _write(way, wish.key, new, result)
    read_back = result["read_back"] = way.read(wish.key, wish.value)
    if not same(read_back, new):
        what = f"the node accepted {wish.key} = {shown(new)}, but {shown(read_back)} is read back"
        raise WayError(what, "ignored")
    result |= {"changed": True, "msg": f"{wish.key} was {shown(old)}, and is {shown(new)}"}


def _write(way: Way, key: str, value: Any, result: dict[str, Any]) -> None:
    """Write; where that fails, still try to learn what the node has now."""
    try:
        way.write(key, value)
    except UnreachableNodeError as problem:
        raise UnreachableNodeError(f"{problem}; {key} = {shown(value)} was sent and may have taken effect") from None
    except WayError:
        try:
            result["read_back"] = way.read(key, value)
        except WayError:
            result["read_back"] = None  # the first problem is the one to report
        raise
