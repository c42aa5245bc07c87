"""What the gates of a rollout can be told by at once: the journal, and the settings that the nodes run with."""

from dataclasses import replace

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk
from runbook.engine.rollout.gates.every import gates_of
from runbook.engine.rollout.gates.facts import Facts, Live, facts_of
from runbook.engine.rollout.values import drift, silent
from runbook.errors import RunbookError
from runbook.model.gate import Gate
from runbook.model.rollout import Rollout
from runbook.model.target import Target


def gates_by_journal(
    current: Session, target: Target, talk: ScreenTalk, rollout: Rollout
) -> tuple[Facts, tuple[Gate, ...]]:
    """The gates as far as they can be told at once: what has to be measured is UNKNOWN. Nothing is journaled.

    Raises:
        DamagedError, StorageError: the journal does not read.
    """
    live = _agreement(current, target, talk, rollout)
    facts = replace(facts_by_journal(current, target, rollout), live=live)
    return facts, gates_of(facts)


def facts_by_journal(current: Session, target: Target, rollout: Rollout) -> Facts:
    """The journal's side alone: no node is asked, and nothing is journaled.

    Raises:
        DamagedError, StorageError: the journal does not read.
    """
    entries = [*current.journal.entries(), *current.journal.waiting()]
    return facts_of(rollout, entries, current.clock.now(), [node.name for node in target.nodes])


def _agreement(current: Session, target: Target, talk: ScreenTalk, rollout: Rollout) -> Live:
    """Whether the nodes run with what the stage wants; that they could not be asked is in it, and no error."""
    try:
        settings = compose.read_ports(current, target, talk).nodes.settings(target.hosts)
    except RunbookError as error:
        return Live(drift=(), silent=(error.message,))
    return Live(drift=drift(target, rollout, settings), silent=silent(settings))
