"""Carry out `runbook notify test`: one message that says what it is, to see whether it arrives."""

import os
from pathlib import Path

from runbook.cli import compose
from runbook.cli.notify.latest import webhook_of
from runbook.cli.notify.sample import sample
from runbook.cli.screen import show, show_json
from runbook.config.complaint import suggestion
from runbook.config.document import found_receivers
from runbook.config.receivers import Receivers
from runbook.engine.notify.deliver import Delivered
from runbook.errors import ExitCode, UsageError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Sent
from runbook.report.document import envelope
from runbook.report.notified import delivered_data, delivered_lines


def send_test(names: tuple[str, ...], config: Path | None, *, as_json: bool) -> ExitCode:
    """Send it to those, or to all of them; UNREACHABLE where one does not take it.

    Raises:
        UsageError: there is no receiver of that name, or none at all.
    """
    receivers = found_receivers(os.environ, config)
    chosen = _chosen(receivers, names)
    broken = {name: why for name, why in receivers.broken.items() if not names or name in names}
    found = [_try(settings) for settings in chosen]
    good = not broken and all(not each.why for each in found)
    code = ExitCode.DONE if good else ExitCode.UNREACHABLE
    if as_json:
        show_json(envelope("notified", "runbook notify test", code, delivered_data(found, broken)))
    else:
        show(delivered_lines(found, broken))
    return code


def _chosen(receivers: Receivers, names: tuple[str, ...]) -> list[ReceiverSettings]:
    if not receivers.good and not receivers.broken:
        raise UsageError(
            "nobody is to be told", hint="add a [notify.NAME] to runbook.toml: docs/how-to/get-notified.md"
        )
    for name in names:
        if name not in receivers.good and name not in receivers.broken:
            raise UsageError(f"there is no receiver {name!r}", hint=suggestion(name, receivers.good))
    return [settings for name, settings in receivers.good.items() if not names or name in names]


def _try(settings: ReceiverSettings) -> Delivered:
    outcome = webhook_of(settings).send(sample(compose.session()))
    if isinstance(outcome, Sent):
        return Delivered(settings.name, sent=1)
    return Delivered(settings.name, why=outcome.why)
