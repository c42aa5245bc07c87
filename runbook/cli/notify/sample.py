"""A message that is about nothing: to see whether one would arrive."""

from runbook.cli.compose import Session
from runbook.model.notification import Kind, Message, Severity


def sample(current: Session) -> Message:
    """One that says what it is."""
    return Message(
        seq=0,
        at=current.clock.now(),
        event="test",
        kinds=frozenset(Kind),
        severity=Severity.INFO,
        trouble=False,
        title="this is a test: notifications of runbook arrive here",
        text=f"It was sent by {current.who} on {current.where}. Nothing has happened, nothing is to be done.",
        target="",
        subject="test",
        who=current.who,
        where=current.where,
        commands=("runbook notify status",),
    )
