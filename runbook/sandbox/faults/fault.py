"""What a fault is: something that starts, ends, and gets in the way of the node at one of four places."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine


class FaultError(Exception):
    """A parameter of the fault is wrong."""


class InjectedError(Exception):
    """The error that a fault makes of a request."""


class Fault:
    """A fault of one node. Each answers for the places that it gets in the way of, and passes the others.

    Args:
        engine: the node.
        parameters: what the person asked for; a FaultError is raised for what is not known.
    """

    survives = False
    """Does it go on after a restart of the node, until it is cleared?"""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        self.engine = engine
        self.parameters = dict(parameters)

    async def start(self) -> None:
        """From now on the symptom develops."""

    async def stop(self) -> None:
        """From now on the node is as it would be without the fault."""

    async def resume(self) -> None:
        """The node was restarted: where the fault survives that, go on."""

    async def suspend(self) -> None:
        """The node ends: where the fault survives that, stop working."""

    def before_recall(self, group: str, *, observed: bool) -> None:
        """Raise InjectedError to make the recall fail."""

    def delay(self, group: str, seconds: float) -> float:  # noqa: ARG002 - for those that override it
        """Seconds that a recall takes longer, which has taken `seconds` since its request arrived."""
        return 0.0

    def ignores_setting(self, key: str) -> bool:  # noqa: ARG002 - for those that override it
        """Does the node accept that setting without taking it on?"""
        return False

    def silence(self) -> str:
        """How the node fails to answer: `refuse`, `hang`, `html`, or nothing."""
        return ""


def known_only(parameters: Mapping[str, Any], *names: str) -> None:
    """Refuse parameters that nobody reads.

    Raises:
        FaultError: there is one.
    """
    for name in parameters:
        if name not in names:
            raise FaultError(f"unknown parameter {name!r}; known: {', '.join(names) or 'none'}")


def number(parameters: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number within its range.

    Raises:
        FaultError: it is not.
    """
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise FaultError(f"{name} must be a number from {low:g} to {high:g}")
    return float(value)


def choice(parameters: Mapping[str, Any], name: str, default: str, *allowed: str) -> str:
    """One of some words.

    Raises:
        FaultError: it is another.
    """
    value = parameters.get(name, default)
    if value not in allowed:
        raise FaultError(f"{name} must be one of {', '.join(word or '(nothing)' for word in allowed)}")
    return str(value)
