"""The steps of an incident, taken because of an alert: by a child, whose rails, locks and journal are its own."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.engine.alerts.memory import CUT_OFF, ENDED, INTENDED, Unfinished
from runbook.model.alert import Received
from runbook.model.configuration import Automatic
from runbook.model.journal import Event
from runbook.model.risk import Risk
from runbook.serve.work.child import Patience, run_child
from runbook.serve.work.notes import Notes
from runbook.serve.work.reading import acted

PATIENCE = Patience(seconds=4 * 3600.0, grace_seconds=75.0, kill=False)
"""A run watches for half an hour. One that is told to end ends its play first, and is never killed from here; a
service gives it 90 s (`TimeoutStopSec`)."""
MOST_ALERTS = 20


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done: the steps of that incident on that target, because of those alerts."""

    diagnosis: str
    target: str
    issue: str
    automatic: Automatic
    alerts: Sequence[Received]

    @property
    def details(self) -> dict[str, Any]:
        """What each of its entries in the journal says."""
        alerts = [each.id for each in self.alerts[:MOST_ALERTS]]
        return {
            "diagnosis": self.diagnosis,
            "target": self.target,
            "issue": self.issue,
            "alerts": alerts,
            "reason": self.reason,
        }

    @property
    def reason(self) -> str:
        """Why, in the journal of the run, which is found again by it: no other deed has this one."""
        first = self.alerts[0].alert
        more = f" and {len(self.alerts) - 1} more" if len(self.alerts) > 1 else ""
        return f"alert {first.name} ({first.fingerprint or self.alerts[0].id}){more}, diagnosis {self.diagnosis}"


def words_of(deed: Deed) -> list[str]:
    """What a person would type. Emergency steps are taken only where the configuration names their risk."""
    risk = deed.automatic.max_risk
    disruptive = ["--allow-disruptive"] if risk is Risk.DISRUPTIVE else []
    limit = ["--max-risk", risk.name.lower(), *disruptive]
    return [deed.issue, "--act", "--yes", "--json", *limit, "--target", deed.target, f"--reason={deed.reason}"]


FindRun = Callable[[str, str, str], str]
"""The id of the newest run of that incident on that target with that reason; empty where there is none."""


async def act(deed: Deed, config: Sequence[str], notes: Notes, find: FindRun, ending: asyncio.Event) -> None:
    """Journal the intent, run the child, journal its end. Without the intent in the journal nothing is begun."""
    if not await notes.write_now(Event.ALERT_ACTED, deed.details | {"state": INTENDED}):
        notes.say(f"{deed.issue} of {deed.target} is not acted on: the journal did not take the intent")
        return
    notes.say(f"{deed.issue} of {deed.target} is acted on, because of {deed.reason}")
    try:
        said = acted(await run_child([*words_of(deed), *config], b"", PATIENCE, ending))
    except OSError as error:
        details = deed.details | {"state": ENDED, "run": "", "code": None, "status": "", "why": f"not begun: {error}"}
    else:
        run = said.run or await asyncio.to_thread(find, deed.target, deed.issue, deed.reason)
        details = deed.details | {
            "state": ENDED,
            "run": run,
            "code": said.code,
            "status": said.status,
            "why": said.why,
        }
    notes.say(f"{deed.issue} of {deed.target}: exit code {details['code']} {details['status']}{details['why']}")
    await notes.write(Event.ALERT_ACTED, details)


async def tell_cut_off(unfinished: Unfinished, notes: Notes, find: FindRun) -> None:
    """Journal that a run was to begin, or began, and nobody saw its end. It is never begun again."""
    run, why = "", "serve was ended before it began: nothing was changed"
    if unfinished.begun:
        run = await asyncio.to_thread(find, unfinished.target, unfinished.issue, unfinished.reason)
        why = "serve was ended meanwhile: runbook runs knows how it stands"
    notes.say(f"{unfinished.issue} of {unfinished.target}: {why}")
    details = {
        "diagnosis": unfinished.diagnosis,
        "target": unfinished.target,
        "issue": unfinished.issue,
        "alerts": list(unfinished.alerts),
        "reason": unfinished.reason,
        "state": CUT_OFF,
        "run": run,
        "why": why,
    }
    await notes.write(Event.ALERT_ACTED, details)
