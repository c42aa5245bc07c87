"""What the fleet says while it works; the command line decides how it looks."""

from typing import Protocol


class Talk(Protocol):
    """Told to the person, never the product."""

    def say(self, text: str) -> None:
        """One line."""
        ...

    def progress(self, label: str, done: float, total: float) -> None:
        """How far it is; `done == total` ends it."""
        ...


class Silent:
    """Says nothing: for tests, and for commands that print one document."""

    def say(self, text: str) -> None:
        """Nothing."""

    def progress(self, label: str, done: float, total: float) -> None:
        """Nothing."""
