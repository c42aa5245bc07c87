"""The validations that the journal tells of."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from runbook.errors import DamagedError
from runbook.model.journal import Entry, Event, original
from runbook.model.validation import LastValidation, Outcome, Recommendation, Validation


def details_of(validation: Validation, *, whole: bool) -> dict[str, Any]:
    """What `validated` journals."""
    return {
        "target": validation.target,
        "recommendation": validation.recommendation.value,
        "because": validation.because,
        "checks": {each.name: each.outcome.value for each in validation.checks},
        "nodes": list(validation.nodes),
        "seconds": round(validation.seconds, 1),
        "asked_seconds": 0.0 if validation.asked is None else round(validation.asked.seconds, 1),
        "soak": validation.soak,
        "whole": whole,
        "baseline_at": None if validation.baseline_at is None else validation.baseline_at.isoformat(),
        "arithmetic": [
            f"{checked.name} {part.outcome.value}: {part.node}: {part.arithmetic}"
            for checked in validation.checks
            for part in checked.parts
            if part.outcome is not Outcome.PASS
        ][:40],
    }


def last_validation(entries: Iterable[Entry], target: str) -> LastValidation | None:
    """The newest validation of that target, or None. Compare its `seq` with that of the entry that it must follow.

    One of some nodes only, or one that was broken off, has `whole` False: it opens no gate.

    Raises:
        DamagedError: an entry does not read as a validation.
    """
    found = None
    for entry in map(original, entries):
        if entry.event is Event.VALIDATED and entry.details.get("target") == target:
            found = _read(entry, entry.details)
    return found


def _read(entry: Entry, details: Mapping[str, Any]) -> LastValidation:
    try:
        return LastValidation(
            entry.seq,
            entry.at,
            entry.who,
            Recommendation(details["recommendation"]),
            {name: Outcome(word) for name, word in details["checks"].items()},
            tuple(details["nodes"]),
            bool(details["whole"]),
            timedelta(seconds=float(details["seconds"]) + float(details.get("asked_seconds", 0.0))),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DamagedError(f"entry {entry.seq} of the journal is no validation: {error!r}") from error
