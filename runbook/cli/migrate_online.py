"""Carry out `runbook migrate` on a node."""

from runbook.cli.migrate import Wishes
from runbook.errors import ExitCode, NotSupportedError


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        NotSupportedError: always, so far.
    """
    raise NotSupportedError(f"a node cannot be migrated to {wishes.kind} yet", hint="convert a file: -o FILE")
