"""The journal of a command: what is worth telling starts the telling, once it is durable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.place import PATIENCE_SECONDS
from runbook.cli.notify.starting import Telling
from runbook.model.journal import Entry, Event
from runbook.ports import Clock


class TellingJournal(FileJournal):
    """`Journal` in a state folder. With `brake` nothing is started before the flags are off."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        by: tuple[str, str],
        telling: Telling,
        *,
        brake: bool = False,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(folder, clock, *by, patience=patience)
        self._telling = telling
        self._brake = brake
        self._had_outcome = False

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """As it is appended; then whoever wants to know of it is about to be told."""
        entry = super().append(event, run, details)
        self._heard(event, details, entry.seq)
        return entry

    def rescue(self, event: Event, run: str, details: Mapping[str, Any], why: str) -> str:
        """As it is kept in the second place; it is worth as much there."""
        place = super().rescue(event, run, details, why)
        self._heard(event, details, 0)
        return place

    def _heard(self, event: Event, details: Mapping[str, Any], seq: int) -> None:
        """A brake journals the outcome of each step twice, and more often; the first one begins the telling."""
        again = event is Event.STEP_OUTCOME and self._had_outcome
        self._had_outcome = self._had_outcome or event is Event.STEP_OUTCOME
        self._telling.heard(event, details, seq, brake=self._brake and not again)
