"""Carry out `runbook notify status`: who is told of what, and how far each of them has been told."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from runbook.adapters.journal import FileJournal
from runbook.adapters.notify import FileCursors, Webhook
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.notify.latest import webhook_of
from runbook.cli.notify.sample import sample
from runbook.cli.screen import show, show_json
from runbook.config.document import found_receivers
from runbook.engine.notify.due import due
from runbook.errors import ExitCode, RunbookError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Cursor
from runbook.report.document import envelope
from runbook.report.notified import Standing, status_data, status_lines


def tell_status(config: Path | None, *, as_json: bool) -> ExitCode:
    """Print it; BAD_NEWS where a receiver does not take what it is told, or cannot be read."""
    current, receivers = compose.session(), found_receivers(os.environ, config)
    found = standings(current, receivers.good.values())
    good = not receivers.broken and all(each.good for each in found)
    code = ExitCode.DONE if good else ExitCode.BAD_NEWS
    if as_json:
        show_json(envelope("notify", "runbook notify status", code, status_data(found, receivers.broken)))
    else:
        show(status_lines(found, receivers.broken))
    return code


def standings(current: Session, receivers: Iterable[ReceiverSettings]) -> list[Standing]:
    """Each receiver; nothing is sent, nothing is written."""
    found = []
    for webhook in map(webhook_of, receivers):
        standing = _standing(current, webhook)
        found.append(replace(standing, problem=standing.problem or webhook.hindrance(sample(current))))
    return found


def _standing(current: Session, receiver: Webhook) -> Standing:
    cursor = FileCursors(current.state).load(receiver.name)
    if cursor is None:
        return Standing(receiver.settings, None, 0)
    if not isinstance(cursor, Cursor):
        return Standing(receiver.settings, None, 0, f"{cursor}: it begins anew with the next entry")
    journal = FileJournal(current.state, current.clock, current.who, current.where)
    try:
        dues = due(journal, cursor, receiver.wants)
    except RunbookError as error:
        return Standing(receiver.settings, cursor, 0, error.message)
    if dues is None:
        return Standing(receiver.settings, cursor, 0, "its place is not in this journal any more: it begins anew")
    return Standing(receiver.settings, cursor, len(dues.messages) + dues.left_out)
