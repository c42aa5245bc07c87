"""The one switch of generations, and what is known of it where the node's answer is lost."""

from runbook.engine.backup.note import UnknownOutcomeError
from runbook.errors import RunbookError, UnreachableError
from runbook.ports import DataNode


def switched(node: DataNode, generation: str, if_sequence: int) -> int:
    """Have the node serve that generation; the sequence number from which it goes on.

    Nothing is guessed: where the answer is lost, the node is asked which generation it serves.

    Raises:
        UnknownOutcomeError: it does not answer that either.
        UnreachableError: the node broke off, and serves what it served before.
        RunbookError: as the node says; it serves what it served before.
    """
    try:
        return node.activate(generation, if_sequence)
    except UnreachableError as error:
        try:
            served = node.holdings().active
        except RunbookError:
            hint = "once it answers, run the same command again: it goes on from what it finds"
            raise UnknownOutcomeError(f"{error.message}; whether it switched is not known", hint=hint) from None
        if served.id == generation:
            return served.sequence
        raise UnreachableError(f"{error.message}; {served.id} is still served", hint=error.hint) from None
