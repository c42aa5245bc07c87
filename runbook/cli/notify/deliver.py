"""Carry out `runbook notify deliver`: every receiver by itself, so that a dead one holds up none of the others."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.adapters.journal import FileJournal
from runbook.adapters.notify import FileCursors, Webhook
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.config.document import found_receivers
from runbook.engine.notify.deliver import Delivered, Delivery
from runbook.errors import ExitCode, LockedError, RunbookError, StorageError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Message
from runbook.ports import Clock, Talk
from runbook.ports.notify import NotifyPorts
from runbook.report.document import envelope
from runbook.report.notified import delivered_data, delivered_lines

if TYPE_CHECKING:
    from runbook.config.receivers import Receivers

MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    since: int
    once: bool
    quiet: bool
    config: Path | None
    as_json: bool


class Mute:
    """`Talk` to nobody."""

    def say(self, text: str) -> None:
        """Not said."""

    def progress(self, label: str, done: float, total: float) -> None:
        """Not shown."""


def deliver(wishes: Wishes) -> ExitCode:
    """Tell every receiver what is due; PARTIAL where something still waits, or was given up."""
    current, receivers = compose.session(), found_receivers(os.environ, wishes.config)
    with ScreenTalk() as screen:
        talk: Talk = Mute() if wishes.quiet else screen
        found = delivered(current, receivers, talk, current.clock, since=wishes.since, once=wishes.once)
    code = ExitCode.DONE if all(not each.why and not each.given_up for each in found) else ExitCode.PARTIAL
    if receivers.broken:
        code = ExitCode.PARTIAL
    if wishes.as_json:
        show_json(envelope("notified", "runbook notify deliver", code, delivered_data(found, receivers.broken)))
    elif not wishes.quiet:
        show(delivered_lines(found, receivers.broken))
    return code


def delivered(
    current: Session, receivers: "Receivers", talk: Talk, clock: Clock, *, since: int = 0, once: bool = True
) -> list[Delivered]:
    """Tell all of them at the same time; how each fared."""
    if not receivers.good:
        return []
    with ThreadPoolExecutor(min(len(receivers.good), MOST_AT_ONCE), "notify") as pool:
        work = partial(_tell, current, talk, clock, since=since, once=once)
        return list(pool.map(work, receivers.good.values()))


def webhook_of(settings: ReceiverSettings) -> Webhook:
    """The receiver, with its template."""

    def render(message: Message, secret: str) -> bytes:
        from runbook.report.notification import body_of  # noqa: PLC0415 - nothing may be due

        return body_of(message, settings.template, secret)

    return Webhook(settings, render)


def _tell(
    current: Session, talk: Talk, clock: Clock, settings: ReceiverSettings, *, since: int, once: bool
) -> Delivered:
    journal = FileJournal(current.state, current.clock, current.who, current.where)
    ports = NotifyPorts(journal, FileCursors(current.state), journal, clock, talk)
    delivery = Delivery(ports, webhook_of(settings), since, once)
    try:
        return _one_at_a_time(current, settings.name, delivery.run)
    except RunbookError as error:
        return Delivered(settings.name, why=error.message)


def _one_at_a_time(current: Session, name: str, run: Callable[[], Delivered]) -> Delivered:
    """Tell, unless another process does; whoever does looks once more when it has let go of the lock.

    So an entry whose process found the lock held is seen by the holder: it was durable before.
    """
    sent = given_up = 0
    while True:
        before = _size(current)
        try:
            with current.locks.hold(f"notify-{name}", "notify"):
                found = run()
        except LockedError as error:
            return Delivered(name, why=error.message)
        except StorageError:  # a disk that is full has no place for a lock; twice is better than never
            return run()
        sent, given_up = sent + found.sent, given_up + found.given_up
        if _size(current) == before or found.why:
            return replace(found, sent=sent, given_up=given_up)


def _size(current: Session) -> int:
    try:
        return (current.state / "journal.jsonl").stat().st_size
    except OSError:
        return 0
