"""Carry out `runbook migrate -o FILE`: from a file to a file, without any node."""

from runbook.cli.migrate import Wishes
from runbook.errors import ExitCode, NotSupportedError


def convert(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        NotSupportedError: always, so far.
    """
    raise NotSupportedError(f"not yet to {wishes.kind}")
