"""The emergency brake on nodes that are dictionaries."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from runbook.model.brake import SETTLED, Olds, Pulled, PullState
from runbook.model.settings import Value
from runbook.model.target import Node
from runbook.ports import Clock


@dataclass(slots=True)
class MemoryBrake:
    """`Brake` without a network: nodes are pressed at the release.

    Args:
        nodes: the settings of each node by name; changed in place.
        unreachable: nodes that do not answer.
        mute: nodes that take what they are told, and do not tell what they had.
        ignoring: nodes that accept a value and keep the old one.
        clock: passes while stragglers are waited for; without it nobody waits for them.
    """

    nodes: MutableMapping[str, dict[str, Value]]
    unreachable: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    ignoring: set[str] = field(default_factory=set)
    clock: Clock | None = None

    def pull(self, nodes: Sequence[Node], flags: Sequence[str], *, insist: bool) -> "MemoryPulling":
        """Begin."""
        return MemoryPulling(self, [node.name for node in nodes], flags, insist=insist)


class MemoryPulling:
    """One pull."""

    def __init__(self, brake: MemoryBrake, names: Sequence[str], flags: Sequence[str], *, insist: bool) -> None:
        self._brake, self._flags, self._insist = brake, flags, insist
        self._pulled = {name: Pulled(name, old=self._old(name)) for name in names}

    def looks(self, most: float, quiet: float) -> Mapping[str, Olds]:
        """What was on."""
        del most, quiet
        return {name: each.old for name, each in self._pulled.items() if each.old is not None}

    def release(self) -> None:
        """Press every node."""
        self._pulled = {name: self._press(each) for name, each in self._pulled.items()}

    def settle(self, seconds: float, enough: Callable[[Pulled], bool]) -> bool:
        """Is each node verified, or enough?"""
        settled = all(each.state in SETTLED or enough(each) for each in self._pulled.values())
        if not settled and self._brake.clock is not None:
            self._brake.clock.sleep(seconds)
            return False
        return True

    def state(self) -> tuple[Pulled, ...]:
        """Every node as it stands."""
        return tuple(self._pulled.values())

    def stop(self) -> None:
        """Nothing is under way."""

    def _old(self, name: str) -> Olds | None:
        if name in self._brake.unreachable | self._brake.mute:
            return None
        return {key: bool(self._brake.nodes[name][key]) for key in self._flags if key in self._brake.nodes[name]}

    def _press(self, each: Pulled) -> Pulled:
        name = each.node
        if name in self._brake.unreachable:
            return Pulled(name, tries=1, message="no connection: connection refused")
        if name in self._brake.ignoring:
            return Pulled(name, PullState.OFF, each.old, 1.0, tries=1, message="it accepted, but it is read back as on")
        if self._insist or each.old is None or any(each.old.values()):
            self._brake.nodes[name].update(dict.fromkeys(self._flags, False))
        return Pulled(name, PullState.VERIFIED, each.old, 1.0, 2.0, tries=1)
