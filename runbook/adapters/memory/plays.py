"""Plays on nodes that are dictionaries, with the waves and the outcomes of the real ones."""

import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.errors import UsageError
from runbook.material import playbook
from runbook.model.brake import FLAGS, Rollback
from runbook.model.play import (
    Collected,
    CollectRequest,
    HostResult,
    HostState,
    PlayRequest,
    PlayResult,
    TogetherRequest,
)
from runbook.model.settings import CATALOGUE, Value, checked, same

QUARTER = 0.25


@dataclass(slots=True)
class MemoryPlays:
    """`Plays` without Ansible.

    Args:
        nodes: the settings of each host of the inventory, in its order; changed in place.
        unreachable: hosts that do not answer.
        ignoring: hosts that accept a value and keep the old one.
        documents: what a reading playbook finds, by its name and the host's.
    """

    nodes: MutableMapping[str, dict[str, Value]]
    unreachable: set[str] = field(default_factory=set)
    ignoring: set[str] = field(default_factory=set)
    documents: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)

    def ready(self) -> None:
        """Always: there is nothing to be missing."""

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        """Run one playbook; every requested host is in the result.

        Raises:
            UsageError: a host that is not in the inventory, or has no value; nothing was touched.
            NotSupportedError: there is no such playbook; nothing was touched.
        """
        begun = time.monotonic()
        self.marks.append(request.mark)
        self._check(request)
        results: dict[str, HostResult] = {}
        for wave in self._waves(request):
            for host in wave:
                results[host] = self._change(host, request)
                progress(f"{host}: {results[host].state.value} ({results[host].message})")
            if not all(results[host].done for host in wave):
                break
        missed = [host for host in request.hosts if host not in results]
        results |= {host: HostResult(host, HostState.NOT_REACHED, message="an earlier wave failed") for host in missed}
        hosts = tuple(results[host] for host in dict.fromkeys(request.hosts))
        return PlayResult(hosts, time.monotonic() - begun)

    def run_together(
        self, request: TogetherRequest, progress: Callable[[str], None]
    ) -> Mapping[str, tuple[HostResult, ...]]:
        """Run one playbook that sets several settings at once; every requested host is in the result of its settings.

        Raises:
            UsageError, NotSupportedError: as `run`.
        """
        parts = {
            key: self.run(PlayRequest(request.playbook, tuple(values), key, values, request.mark), progress)
            for key, values in request.values.items()
        }
        return {key: tuple(_as_one(each, parts.values()) for each in part.hosts) for key, part in parts.items()}

    def collect(self, request: CollectRequest, progress: Callable[[str], None]) -> tuple[Collected, ...]:
        """Run one playbook that changes nothing; every requested host once, in their order.

        Raises:
            UsageError: a host that is not in the inventory.
            NotSupportedError: there is no such playbook.
        """
        self.marks.append(request.mark)
        self._check(request)
        found = [self._collect(host, request.playbook) for host in dict.fromkeys(request.hosts)]
        for one in found:
            progress(f"{one.host}: {one.message}")
        return tuple(found)

    def stop_orphans(self, mark: str) -> int:  # noqa: ARG002 - the port's shape
        """None: a play here is a call, and ends with it."""
        return 0

    def end(self, mark: str) -> int:  # noqa: ARG002 - the port's shape
        """None, for the same reason."""
        return 0

    def _collect(self, host: str, name: str) -> Collected:
        if host in self.unreachable:
            return Collected(host, None, "no connection")
        document = self.documents.get((name, host))
        return Collected(host, document, "read" if document is not None else "not supported by this node")

    def _check(self, request: PlayRequest | CollectRequest) -> None:
        playbook(request.playbook)
        for host in request.hosts:
            if host not in self.nodes:
                raise UsageError(f"not in the inventory: {host}; nothing was touched")
            if isinstance(request, CollectRequest):
                continue
            if host not in request.values or (request.expected is not None and host not in request.expected):
                raise UsageError(f"there is no value of {request.key} for the host {host}")

    def _waves(self, request: PlayRequest) -> Sequence[Sequence[str]]:
        """One host, a quarter, the rest, in the inventory's order; what restores goes everywhere at once."""
        hosts = [host for host in self.nodes if host in request.hosts]
        if not request.playbook.startswith(("set_", "split_")):
            return [hosts]
        quarter = max(1, int(len(hosts) * QUARTER))
        waves = [hosts[:1], hosts[1 : 1 + quarter], hosts[1 + quarter :]]
        return [wave for wave in waves if wave]

    def _change(self, host: str, request: PlayRequest) -> HostResult:
        if host in self.unreachable:
            return HostResult(host, HostState.UNREACHABLE, message="no connection")
        if request.playbook == "emergency_rollback":
            return self._turn_off(host, FLAGS[Rollback(request.key)])
        settings, key, new = self.nodes[host], request.key, request.values[host]
        if key not in settings:
            return HostResult(host, HostState.FAILED, message=f"not supported by this node: it has no setting {key}")
        old = settings[key]
        if same(old, new):
            return HostResult(host, HostState.UNCHANGED, old, old, f"{key} is {new} already")
        if request.expected is not None and not same(old, request.expected[host]):
            message = f"{key} is {old}: neither {request.expected[host]}, as expected, nor {new}"
            return HostResult(host, HostState.FAILED, old, message=message)
        return self._set(host, key, old, new)

    def _turn_off(self, host: str, flags: Sequence[str]) -> HostResult:
        """As the play does: the old values as texts, one for each flag."""
        settings = self.nodes[host]
        old = tuple(f"{key}={str(settings[key]).lower()}" for key in flags if key in settings)
        if host in self.ignoring:
            return HostResult(host, HostState.FAILED, old, old, "the node accepted it, but it is read back as on")
        settings.update(dict.fromkeys(flags, False))
        state = HostState.CHANGED if any(each.endswith("=true") for each in old) else HostState.UNCHANGED
        return HostResult(host, state, old, tuple(f"{key}=false" for key in flags))

    def _set(self, host: str, key: str, old: Value, new: Value) -> HostResult:
        try:
            value = checked(CATALOGUE[key], new)
        except UsageError as problem:
            return HostResult(host, HostState.FAILED, old, old, f"the node refused the value: {problem}")
        if host in self.ignoring:
            message = f"the node accepted {key} = {new}, but {old} is read back"
            return HostResult(host, HostState.FAILED, old, old, message)
        self.nodes[host][key] = value
        return HostResult(host, HostState.CHANGED, old, value, f"{key} was {old}, and is {value}")


def _as_one(result: HostResult, parts: Iterable[PlayResult]) -> HostResult:
    """With the one state and message that a play has for a host, whatever it set there."""
    mine = [each for part in parts for each in part.hosts if each.host == result.host]
    first = next((each for each in mine if not each.done), result)
    return replace(result, state=first.state, message=first.message)
