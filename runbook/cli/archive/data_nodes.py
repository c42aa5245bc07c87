"""Whose data? A target of one node says it by itself; of several, somebody has to."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runbook.cli.completions import complete_nodes
from runbook.errors import UsageError
from runbook.model.target import Node, Target

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_NAMED = 12


def node_option(command: Decorated) -> Decorated:
    """`--node`, once."""
    what = "The node, where the target has several."
    return click.option("--node", metavar="NAME", shell_complete=complete_nodes, help=what)(command)


def one_node(target: Target, name: str | None, more: str = "") -> Node:
    """The node that was named, or the only one of the target; `more` is what else can be said instead of a name.

    Raises:
        UsageError: there is none of that name; or there are several, and none was named.
    """
    if name is not None:
        found = target.node(name)
        if found is None:
            raise UsageError(f"target {target.name} has no node {name!r}", hint=_listed(target))
        return found
    if len(target.nodes) != 1:
        raise UsageError(
            f"target {target.name} has {len(target.nodes)} nodes, each with data of its own",
            hint=f"--node NAME{more}; {_listed(target)}",
        )
    return target.nodes[0]


def _listed(target: Target) -> str:
    names = [node.name for node in target.nodes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"its nodes: {', '.join(names[:_NAMED])}{more}"
