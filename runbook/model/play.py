"""What is asked of Ansible and what came of it, host by host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runbook.model.settings import Value


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """One run of one playbook on some hosts of an inventory.

    `values` is what each host's setting becomes; with `expected` a host whose value is neither the expected
    one nor the new one is left alone and reported (compare and set). `mark` is found in the environment of
    every process of the play, so that an orphan of a killed run can be ended by name.
    """

    playbook: str
    hosts: tuple[str, ...]
    key: str
    values: Mapping[str, Value]
    mark: str
    expected: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class TogetherRequest:
    """One run of one playbook that restores: several settings of each host, whatever they were before.

    `values` is what each becomes, by setting and host; on a splitter they come into effect at one moment. `mark` as in
    `PlayRequest`.
    """

    playbook: str
    values: Mapping[str, Mapping[str, Value]]
    mark: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that is named, once."""
        return tuple(dict.fromkeys(host for by_host in self.values.values() for host in by_host))

    def of(self, host: str) -> Mapping[str, Value]:
        """What becomes of that host, by setting."""
        return {key: by_host[host] for key, by_host in self.values.items() if host in by_host}


class HostState(StrEnum):
    """What a play did on one host."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_REACHED = "not reached"  # an earlier wave failed


AS_ASKED = frozenset({HostState.CHANGED, HostState.UNCHANGED})


@dataclass(frozen=True, slots=True)
class HostResult:
    """One host: the value before, and the value read back after; None where it was not read."""

    host: str
    state: HostState
    old: Value | None = None
    read_back: Value | None = None
    message: str = ""

    @property
    def done(self) -> bool:
        """Is the host now as asked for?"""
        return self.state in AS_ASKED


@dataclass(frozen=True, slots=True)
class PlayResult:
    """All hosts that were asked for, each exactly once, and how long it took."""

    hosts: tuple[HostResult, ...]
    seconds: float

    @property
    def done(self) -> bool:
        """Is every host now as asked for?"""
        return all(result.done for result in self.hosts)

    def of(self, host: str) -> HostResult:
        """The result of that host."""
        return next(result for result in self.hosts if result.host == host)


@dataclass(frozen=True, slots=True)
class WorkRequest:
    """One run of a playbook in which each host's own `runbook` works on the data of its node.

    `inputs` are the playbook's own, as its head tells them: texts, numbers, lists and mappings, never a secret.
    `mark` as in `PlayRequest`.
    """

    playbook: str
    hosts: tuple[str, ...]
    mark: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkResult:
    """What came of it on one host.

    `code` is the exit code of that host's `runbook`, None where it did not run; `report` is the data of what it
    printed, None where it printed nothing. `state` tells of the host, `message` why it is not done.
    """

    host: str
    state: HostState
    code: int | None = None
    report: Mapping[str, Any] | None = None
    message: str = ""

    @property
    def done(self) -> bool:
        """Did it do what it was told?"""
        return self.state in AS_ASKED


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """One run of a playbook that reads something of some hosts and changes nothing; `mark` as in `PlayRequest`.

    `inputs` are the playbook's own, as its head tells them.
    """

    playbook: str
    hosts: tuple[str, ...]
    mark: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read of one host; None where nothing was, and `message` then says why."""

    host: str
    document: Mapping[str, Any] | None
    message: str = ""
