"""The intent before the deed: an entry before it, and one after it, whatever came of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from runbook.errors import InterruptedRunError, RunbookError, UnreachableError
from runbook.model.journal import Event
from runbook.ports import Journal


class UnknownOutcomeError(UnreachableError):
    """Nobody can say now whether the deed was done."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the entries of one deed have in common; `state` is intended, then done, failed, or unknown."""

    journal: Journal
    event: Event
    run: str
    details: Mapping[str, object]

    @contextmanager
    def kept(self) -> Iterator[dict[str, object]]:
        """Journal the deed that is done inside; what is put into the mapping stands in its last entry.

        Raises:
            StorageError, DamagedError: the journal does not take the intent; then nothing may be done.
        """
        facts: dict[str, object] = {}
        self.journal.append(self.event, self.run, {**self.details, "state": "intended"})
        try:
            yield facts
        except BaseException as error:
            came = {"state": "unknown", "why": "interrupted"}
            if isinstance(error, RunbookError) and not isinstance(error, InterruptedRunError):
                state = "unknown" if isinstance(error, UnknownOutcomeError) else "failed"
                came = {"state": state, "why": error.message}
            with suppress(RunbookError):  # what comes first is told
                self.journal.append(self.event, self.run, {**self.details, **came})
            raise
        self.journal.append(self.event, self.run, {**self.details, "state": "done", **facts})
