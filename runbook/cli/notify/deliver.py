"""Carry out `runbook notify deliver`: every receiver by itself, so that a dead one holds up none of the others."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.adapters.journal import FileJournal
from runbook.adapters.notify import FileCursors
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.notify.latest import LatestWebhook
from runbook.cli.notify.pausing import StoppableClock
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.config.document import found_receivers
from runbook.engine.notify.deliver import Delivered, Delivery
from runbook.errors import ExitCode, LockedError, RunbookError, StorageError
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
        found = delivered(current, receivers, talk, since=wishes.since, once=wishes.once)
    code = ExitCode.DONE if all(not each.why and not each.given_up for each in found) else ExitCode.PARTIAL
    if receivers.broken:
        code = ExitCode.PARTIAL
    if wishes.as_json:
        show_json(envelope("notified", "runbook notify deliver", code, delivered_data(found, receivers.broken)))
    elif not wishes.quiet:
        show(delivered_lines(found, receivers.broken))
    return code


def delivered(current: Session, receivers: "Receivers", talk: Talk, *, since: int, once: bool) -> list[Delivered]:
    """Tell all of them at the same time; how each fared. Ctrl-C ends the pauses; a try that is under way is bounded."""
    if not receivers.good:
        return []
    stop = threading.Event()
    with ThreadPoolExecutor(min(len(receivers.good), MOST_AT_ONCE), "notify") as pool:
        work = partial(tell_one, current, talk, StoppableClock(stop), since=since, once=once)
        try:
            return list(pool.map(work, (LatestWebhook(each, receivers.path) for each in receivers.good.values())))
        except BaseException:
            stop.set()
            raise


def tell_one(
    current: Session, talk: Talk, clock: Clock, receiver: LatestWebhook, *, since: int = 0, once: bool = False
) -> Delivered:
    """Tell that receiver what is due, unless another process does; how it fared. Raises nothing for what happens."""
    journal = FileJournal(current.state, current.clock, current.who, current.where)
    ports = NotifyPorts(journal, FileCursors(current.state), journal, clock, talk)
    delivery = Delivery(ports, receiver, since, once)
    try:
        return _one_at_a_time(current, receiver.name, delivery.run)
    except RunbookError as error:
        return Delivered(receiver.name, why=error.message)


def _one_at_a_time(current: Session, name: str, run: Callable[[], Delivered]) -> Delivered:
    """Tell, unless another process does; whoever does looks once more when it has let go of the lock.

    So an entry whose process found the lock held is seen by the holder: it was durable before.
    """
    while True:
        before = size_of(current)
        try:
            with current.locks.hold(f"notify-{name}", "notify"):
                found = run()
        except LockedError as error:
            return Delivered(name, why=error.message)
        except StorageError:  # a disk that is full has no place for a lock; twice is better than never
            return run()
        if size_of(current) == before or found.why:
            return found


def size_of(current: Session) -> int:
    """The bytes of the journal now."""
    try:
        return (current.state / "journal.jsonl").stat().st_size
    except OSError:
        return 0
