"""Ansible's groups, children, hosts and variables, combined as Ansible combines them.

The weaker first: `all`, then groups by depth, `ansible_group_priority` and name, then the host itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.adapters.inventory.ranges import expand
from runbook.errors import DamagedError

Variables = dict[str, Any]


@dataclass(slots=True)
class _Group:
    variables: Variables = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Tree:
    """What a file says, while it is read."""

    path: Path
    groups: dict[str, _Group] = field(default_factory=lambda: {"all": _Group()})
    hosts: dict[str, Variables] = field(default_factory=dict)
    member_of: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, body: Any, parent: str | None) -> None:
        group = self.groups.setdefault(name, _Group())
        if parent is not None:
            group.parents.add(parent)
        sections = self._mapping(name, body)
        group.variables |= self._mapping(f"{name}.vars", sections.get("vars"))
        for child, content in self._mapping(f"{name}.children", sections.get("children")).items():
            self.add(child, content, name)
        for pattern, values in self._mapping(f"{name}.hosts", sections.get("hosts")).items():
            for host in expand(self.path, pattern):
                self.hosts.setdefault(host, {}).update(self._mapping(f"{name}.hosts.{host}", values))
                self.member_of.setdefault(host, set()).add(name)

    def _mapping(self, place: str, value: Any) -> dict[str, Any]:
        """An empty section is an empty mapping, and a lone name is a mapping of that name, as Ansible has it."""
        if value is None:
            return {}
        if isinstance(value, str):
            return {value: None}
        if not isinstance(value, dict):
            raise DamagedError(f"{self.path}: {place} must be a mapping", hint="end each name with a colon")
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            raise DamagedError(f"{self.path}: {place}: {odd!r} must be a text", hint="put quotes around it")
        return value


def host_variables(path: Path, document: Mapping[str, Any]) -> dict[str, Variables]:
    """Every host's variables, with those of its groups.

    Raises:
        DamagedError: the document does not have an inventory's form.
    """
    tree = _Tree(path)
    for name, body in document.items():
        if not isinstance(name, str):
            raise DamagedError(f"{path}: {name!r} must be a text", hint="put quotes around it")
        tree.add(name, body, None)
    depths = _depths(tree)
    combined = {}
    for host, own in tree.hosts.items():
        groups = sorted(
            _above(tree, tree.member_of[host]), key=lambda name: (depths[name], _priority(tree, name), name)
        )
        values: Variables = {}
        for name in groups:
            values |= tree.groups[name].variables
        combined[host] = values | own
    return combined


def _above(tree: _Tree, names: set[str]) -> set[str]:
    """The groups of these names and all that contain them; `all` contains everything."""
    found, waiting = {"all"}, list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(tree.groups[name].parents)
    return found


def _depths(tree: _Tree) -> dict[str, int]:
    """How far below `all` each group lies, by its longest way up.

    Raises:
        DamagedError: groups contain each other.
    """
    depths = dict.fromkeys(tree.groups, 1) | {"all": 0}
    for _ in tree.groups:
        deeper = {
            name: max([depths[name], *(depths[parent] + 1 for parent in group.parents)])
            for name, group in tree.groups.items()
        }
        if deeper == depths:
            return depths
        depths = deeper
    raise DamagedError(f"{tree.path}: its groups contain each other", hint="a group cannot be its own child")


def _priority(tree: _Tree, name: str) -> int:
    value = tree.groups[name].variables.get("ansible_group_priority", 1)
    return value if isinstance(value, int) else 1
