"""What there is to be named: filled from the command line, the catalogue, the contract, the material."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runbook.model.contract import ENDPOINTS, METRICS, Endpoint


@dataclass(frozen=True, slots=True)
class Option:
    """One option: does a value follow, and which ones are there, where they can be listed?"""

    takes_value: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument, by its name; its choices, where they can be listed; `many` takes all that follow."""

    name: str
    choices: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True, slots=True)
class CommandTree:
    """A command, or a group of them, as it is typed."""

    path: str
    options: Mapping[str, Option] = field(default_factory=dict)
    arguments: tuple[Argument, ...] = ()
    children: Mapping[str, "CommandTree"] = field(default_factory=dict)

    def every_option(self) -> frozenset[str]:
        """The options of this command and of all under it."""
        return frozenset(self.options).union(*(child.every_option() for child in self.children.values()))


class Surroundings(Protocol):
    """The files around one document."""

    def has(self, name: str) -> bool:
        """Is there such a file or folder? `*` may stand for a part of a name."""
        ...

    def linked(self, name: str) -> bool:
        """Does a link from the document to this path lead to something?"""
        ...

    def anchors(self, name: str) -> frozenset[str] | None:
        """The anchors of the document that a link leads to; None where it is no Markdown."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that exists. `playbooks` are given with their inputs, `configuration` is the schema of that file.

    `node_options` are those of the sandbox's node, which is a program of its own.
    """

    commands: CommandTree
    settings: frozenset[str]
    playbooks: Mapping[str, frozenset[str]]
    exit_codes: frozenset[int]
    variables: frozenset[str]
    environment: frozenset[str]
    events: frozenset[str]
    faults: frozenset[str]
    configuration: Mapping[str, Any]
    node_options: frozenset[str] = frozenset()
    endpoints: tuple[Endpoint, ...] = ENDPOINTS

    @property
    def series(self) -> Mapping[str, frozenset[str]]:
        """The labels of each name that a metric or a sample of it has."""
        found: dict[str, frozenset[str]] = {}
        for metric in METRICS.values():
            for name in (metric.name, *metric.series):
                found[name] = frozenset(metric.labels)
        return found
