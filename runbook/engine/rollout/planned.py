"""The planned looks of the judge: which are due, and what is journaled of one that was taken."""

from runbook.engine.judging.judgement import look_moments, rows_needed
from runbook.engine.rollout import record
from runbook.engine.rollout.basis import basis_from
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.eyes import Eyes
from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.model.judgement import Judgement
from runbook.model.rollout import Rollout


def due(rollout: Rollout, now: float) -> tuple[int, int]:
    """How many looks of the stage are due by now, and how many are planned; behind the last they go on as often.

    `now` is in seconds since 1970.
    """
    judging, moments = rollout.current.phase.judging, look_moments(rollout)
    if judging is None or not moments or not rollout.current.share:
        return 0, 0
    count = sum(moment <= now for moment in moments)
    if now > moments[-1]:
        count += int((now - moments[-1]) // judging.look_every.total_seconds())
    return count, len(moments)


def note_look(crew: Crew, eyes: Eyes, rollout: Rollout, found: Judgement, now: float) -> None:
    """Journal a look that was taken of what there was at that moment; alpha is spent by those that are planned.

    What the journal does not take is told: it keeps nobody from rolling back, and the look is taken again.
    """
    count, planned = due(rollout, now)
    try:
        basis = basis_from(now, eyes.store.newest(), eyes.store.rows(rows_needed(rollout), now))
        details = record.judged(rollout.current, min(count, planned), found, basis)
        spent = {} if rollout.looks < planned else {"planned": False}
        crew.ports.journal.append(Event.ROLLOUT_JUDGED, rollout.id, details | spent)
    except RunbookError as error:
        crew.say(f"NOT JOURNALED ({error.message}): {Event.ROLLOUT_JUDGED.value}, {found.verdict.value}")
