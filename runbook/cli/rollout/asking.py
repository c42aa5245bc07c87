"""Gather what the gates of a rollout are decided by: the journal, the nodes' settings; and, to go on, measurements."""

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk
from runbook.engine.rollout.facts import Facts, Live, facts_of
from runbook.engine.rollout.gates import gates_of
from runbook.errors import RunbookError
from runbook.model.gate import Gate
from runbook.model.rollout import Rollout
from runbook.model.target import Target


def facts_now(current: Session, target: Target, rollout: Rollout, live: Live | None) -> Facts:
    """What the journal says now, and what was just asked. Nothing is journaled: reading leaves no trace.

    Raises:
        DamagedError, StorageError: the journal does not read.
    """
    entries = [*current.journal.entries(), *current.journal.waiting()]
    names = tuple(node.name for node in target.nodes)
    return facts_of(rollout, entries, current.clock.now(), names, live)


def agreement_now(current: Session, target: Target, talk: ScreenTalk, rollout: Rollout) -> Live:
    """Whether the nodes run with what the stage wants; that they could not be asked is in it, and no error."""
    from runbook.engine.rollout.ask_fleet import agreement  # noqa: PLC0415  # not for who only reads the journal

    try:
        settings = compose.read_ports(current, target, talk).nodes.settings(target.nodes)
    except RunbookError as error:
        return Live(drift=(), silent=(error.message,))
    return agreement(rollout, settings)


def gates_by_journal(
    current: Session, target: Target, talk: ScreenTalk, rollout: Rollout
) -> tuple[Facts, tuple[Gate, ...]]:
    """The gates as far as they can be told at once: what would have to be measured is UNKNOWN."""
    facts = facts_now(current, target, rollout, agreement_now(current, target, talk, rollout))
    return facts, gates_of(facts)
