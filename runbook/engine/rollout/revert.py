"""Take a rollout back: flags off by the emergency brake, then the share to nothing, then the evidence.

It waits for no lock, no approval, no freeze window and no rail, and for no journal: what that refuses waits in its
second place. Given again it begins again, so an interruption loses nothing; no share is ever restored.
"""

from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from runbook.engine.apply import LEASE
from runbook.engine.brake_journal import Recorder
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollout import record
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.share import COMMAND, Left, share_off
from runbook.engine.rollout.splitters import gone
from runbook.engine.rollout.state import rollouts_of
from runbook.errors import ExitCode, InterruptedRunError, LockedError, RunbookError
from runbook.model.brake import Rollback
from runbook.model.journal import Event, original
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import WAY_BACK

DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Why:
    """Who or what takes it back (`person`, `judge`, `trigger`, `tripwire`, `complaints`, `rollback`), and why."""

    by: str
    why: str
    ends_as: Standing
    deadline_seconds: float = DEADLINE_SECONDS


def revert(crew: Crew, rollout: Rollout, why: Why) -> Acted:
    """Take it back, from whatever standing; it is over when every node was read back.

    Raises nothing for what nodes, Ansible, the journal or the shelf do: that is in what it came to.
    """
    with ExitStack() as shown:
        with suppress(RunbookError):  # nothing waits for it, and it waits for nothing: it only tells who watches
            shown.enter_context(crew.ports.locks.hold(_going_back(crew), rollout.id))
        return _revert(crew, rollout, why)


def taken_back_elsewhere(crew: Crew, rollout: Rollout) -> str:
    """Who is taking it back just now, in words; empty where nobody is. Two at once would end each other's plays."""
    try:
        with crew.ports.locks.hold(_going_back(crew), rollout.id):
            return ""
    except LockedError as error:
        return error.message
    except RunbookError:
        return ""


def _going_back(crew: Crew) -> str:
    return f"back-{crew.target.name}"


def _revert(crew: Crew, rollout: Rollout, why: Why) -> Acted:
    recorder = Recorder(lambda: crew.ports.journal, crew.ports.read.talk)
    rollout = _known(crew, rollout)  # who was asked may have thought about it, while a stage was begun
    why, stage, run = _first_said(crew, rollout, why), rollout.current, crew.new_id()
    details = record.reverting(stage, run, why.by, why.ends_as, why.why)
    recorder.note(Event.ROLLOUT_REVERTING, rollout.id, details)
    entering = _is_entering(rollout)
    if entering:
        # Its run may be about to begin, in another process, where the brake does not see it yet.
        recorder.note(Event.RUN_SUPERSEDED, rollout.run, {"by": run, "command": COMMAND})
    crew.say(f"taking rollout {rollout.id} back: {why.why}")
    rolled, left = _off(crew, recorder, why, run)
    code = left.code or code_of(rolled, left)
    ended = replace(
        rollout, standing=why.ends_as if code is ExitCode.DONE else Standing.REVERTING, why=why.why, run=run
    )
    if left.code is None and entering:
        _let_go(crew, rollout.run)
    again = rollout.standing is Standing.REVERTING and code is not ExitCode.DONE
    unwritten = ""
    if left.code is None and not again:  # a node that is dead for a night is no reason for hundreds of them
        unwritten = _bundle(crew, ended)
    if code is ExitCode.DONE:
        recorder.note(Event.ROLLOUT_ENDED, rollout.id, record.ended(stage, why.ends_as, why.why))
        recorder.settle(WAY_BACK, rolled.plan)
    told = _told(why, rolled, left) + unwritten
    if strays := gone(rollout, crew.target):  # no inventory, no way to them: it is over all the same, and told
        told += f"; NOT ASKED: {'; '.join(strays)}"
    return Acted(_known(crew, ended), code, told, run, rolled)


def blind(crew: Crew, why: Why) -> tuple[Rolled, Left]:
    """The same where the journal does not tell of any rollout: flags off and the share to nothing, whatever it was."""
    recorder = Recorder(lambda: crew.ports.journal, crew.ports.read.talk)
    return _off(crew, recorder, why, crew.new_id())


def _off(crew: Crew, recorder: Recorder, why: Why, run: str) -> tuple[Rolled, Left]:
    """The flags by the brake, and the share once its play is through.

    A node that is dead does not hold the share up; one that hangs does for as long as that play tries it, not longer.
    """
    left = Left(("the share was not asked to go",))

    def share(silent: Collection[str]) -> None:
        nonlocal left
        try:
            left = share_off(crew, recorder, why.why, silent)
        except InterruptedRunError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the brake goes on to its end
            left = Left((f"the share: {type(error).__name__}: {error}",))
        if left.code is not None:
            interruption = InterruptedRunError("interrupted while the share was taken off")
            interruption.code = left.code
            raise interruption

    rolled = crew.pull(Wish(Rollback.FEATURES, run, why.why, why.deadline_seconds, COMMAND, share))
    return rolled, replace(left, code=rolled.interrupted)


def _is_entering(rollout: Rollout) -> bool:
    """Is a run setting the values of a stage, as far as the journal knows? A hold does not end it."""
    entered = bool(rollout.entered) and rollout.entered[-1].run == rollout.run
    return bool(rollout.run) and not entered and rollout.standing in {Standing.ENTERING, Standing.HELD}


def _first_said(crew: Crew, rollout: Rollout, why: Why) -> Why:
    """What was said when it was first begun to be taken back, where it was: a second try does not change that."""
    if rollout.standing is not Standing.REVERTING:
        return why
    try:
        entries = crew.entries()
    except RunbookError:
        return replace(why, why=rollout.why or why.why)
    said = [
        each.details
        for each in map(original, entries)
        if each.event is Event.ROLLOUT_REVERTING and each.run == rollout.id
    ]
    if not said:
        return why
    first = said[0]
    return replace(why, by=str(first["by"]), why=str(first["why"]), ends_as=Standing(first["ends_as"]))


def code_of(rolled: Rolled, left: Left) -> ExitCode:
    """What the brake says; PARTIAL where it is all off, and a share is not at nothing yet."""
    if rolled.exit_code is not ExitCode.DONE:
        return rolled.exit_code
    return ExitCode.PARTIAL if left.told else ExitCode.DONE


def _let_go(crew: Crew, run: str) -> None:
    """Give back the leases of a run that was killed while it was entering; one that is alive gives back its own."""
    nodes = crew.target.nodes
    with (
        suppress(RunbookError),
        crew.ports.locks.hold(f"run-{run}", run),
        crew.ports.read.nodes.lease(nodes, crew.who, run, LEASE),
    ):
        pass


def _bundle(crew: Crew, rollout: Rollout) -> str:
    """Write the evidence; what is to be told of it, where it could not be."""
    try:
        crew.bundle(rollout, f"taken back: {rollout.why}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the way back ends and is journaled
        crew.say(f"THE EVIDENCE COULD NOT BE WRITTEN ({error}): runbook rollout report has what the journal knows")
        return "; NO EVIDENCE OF IT WAS WRITTEN"
    return ""


def _known(crew: Crew, rollout: Rollout) -> Rollout:
    """As the journal tells it, where it can be read."""
    try:
        return rollouts_of(crew.entries()).get(rollout.id, rollout)
    except RunbookError:
        return rollout


def _told(why: Why, rolled: Rolled, left: Left) -> str:
    if left.code is not None:
        return f"interrupted while it was taken back ({why.why}): give it again"
    off = len(rolled.nodes) - len(rolled.stragglers)
    told = f"{why.ends_as.value}: {why.why.rstrip('.')}; off on {off} of {len(rolled.nodes)} nodes"
    return f"{told}; NOT AT NOTHING YET: {'; '.join(left.told)}: mend that, and give it again" if left.told else told
