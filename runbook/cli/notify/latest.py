"""A receiver as the configuration has it at each try: who mends an address within the hour is told still."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from runbook.adapters.notify import Webhook
from runbook.config.document import found_receivers
from runbook.errors import RunbookError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Later, Message, Outcome


def webhook_of(settings: ReceiverSettings) -> Webhook:
    """The receiver, with its template."""

    def render(message: Message, secret: str) -> bytes:
        from runbook.report.notification import body_of  # noqa: PLC0415 - nothing may be due

        return body_of(message, settings.template, secret)

    return Webhook(settings, render)


@dataclass(slots=True)
class LatestWebhook:
    """`Receiver` by the file's `[notify.NAME]` of now; while that does not read, by the one that did last."""

    settings: ReceiverSettings
    config: Path | None
    _webhook: Webhook = field(init=False)

    def __post_init__(self) -> None:
        self._webhook = webhook_of(self.settings)

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self.settings.name

    def wants(self, message: Message) -> bool:
        """Did it ask for such messages, when last looked at?"""
        return self._webhook.wants(message)

    def send(self, message: Message) -> Outcome:
        """Try once; later, where the table is gone: somebody may be in the middle of an edit."""
        try:
            found = found_receivers(os.environ, self.config)
        except RunbookError:
            return self._webhook.send(message)
        if self.name not in found.good and self.name not in found.broken:
            return Later(f"not asked: [notify.{self.name}] is not in the configuration any more")
        settings = found.good.get(self.name, self.settings)
        if settings != self.settings:
            self.settings, self._webhook = settings, webhook_of(settings)
        return self._webhook.send(message)
