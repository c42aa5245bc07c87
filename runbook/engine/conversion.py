"""Converts an archive to another one without any node; journaled, and taken up again where it was stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.engine.conversion_plan import document
from runbook.errors import InterruptedRunError, RunbookError
from runbook.model.conversion import Converted, Job, Part
from runbook.model.conversion_plan import ConversionPlan
from runbook.model.journal import Event
from runbook.ports import Converter, Journal

_PARTS = 10
"""How many times, about, the journal is told how far it is."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is to be done: the plan, the job that does it, and the run under which it is journaled."""

    plan: ConversionPlan
    job: Job
    run: str
    reason: str
    again: str
    """What a person types to go on with it."""
    resumed: bool


@dataclass(frozen=True, slots=True)
class ConversionPorts:
    """What it needs. `publish` gives the archives that were made their names, and returns them under these."""

    converter: Converter
    journal: Journal
    publish: Callable[[Converted], Converted]
    progress: Callable[[int, int], None]


def carry_out(ports: ConversionPorts, conversion: Conversion) -> Converted:
    """Convert, and give the results their names.

    Raises:
        InterruptedRunError: it was interrupted; the hint says how to go on.
        StorageError: the disk refused, the journal's too; what was done is used again.
        Whatever the converter raises.
    """
    begins = Event.MIGRATION_RESUMED if conversion.resumed else Event.MIGRATION_STARTED
    _note(ports, conversion, begins, _intent(conversion))
    try:
        found = ports.converter.convert(conversion.job, _Told(ports, conversion))
        _note(ports, conversion, Event.MIGRATION_STEP, {"step": "convert", **converted_details(found)})
        published = ports.publish(found)
    except KeyboardInterrupt as error:
        interruption = InterruptedRunError(
            f"the conversion was interrupted (run {conversion.run})",
            hint=f"go on where it was: {conversion.again}",
            run=conversion.run,
        )
        interruption.code = getattr(error, "code", interruption.code)
        raise interruption from error
    except RunbookError as error:
        error.run = error.run or conversion.run
        _note(ports, conversion, Event.MIGRATION_ENDED, {"status": "failed", "why": error.message})
        raise
    _note(
        ports,
        conversion,
        Event.MIGRATION_ENDED,
        {"status": "done", **converted_details(published)},
    )
    return published


class _Told:
    """Progress, told to the person as it comes and to the journal now and then."""

    def __init__(self, ports: ConversionPorts, conversion: Conversion) -> None:
        self._ports = ports
        self._conversion = conversion
        self._noted = 0

    def __call__(self, done: int, total: int) -> None:
        self._ports.progress(done, total)
        part = done * _PARTS // max(total, 1)
        if part > self._noted:
            self._noted = part
            _note(self._ports, self._conversion, Event.MIGRATION_STEP, {"step": "units", "done": done, "total": total})


def _note(ports: ConversionPorts, conversion: Conversion, event: Event, details: Mapping[str, Any]) -> None:
    ports.journal.append(event, conversion.run, details)


def _intent(conversion: Conversion) -> Mapping[str, Any]:
    plan, reason = document(conversion.plan), conversion.reason
    return {"form": "offline", "reason": reason, "source": str(conversion.job.source.absolute()), "plan": plan}


def converted_details(found: Converted) -> Mapping[str, Any]:
    """What came out, as the journal and reports have it."""
    return {
        "data": _part(found.data),
        "residue": None if found.residue is None else _part(found.residue),
        "dropped": [
            {"record": each.record, "why": each.why, "count": each.count, "examples": list(each.examples)}
            for each in found.dropped
        ],
        "units": found.units,
        "reused": found.reused,
    }


def _part(part: Part) -> Mapping[str, Any]:
    return {"path": str(part.path), "counts": dict(part.counts), "digest": part.digest, "sha256": part.sha256}
