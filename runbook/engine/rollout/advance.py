"""Go on to the next stage, or end the rollout with its last: only where no gate says no, and every gate says yes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.rollout import record
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.enter import enter, go_on
from runbook.engine.rollout.gates.asking import Answered
from runbook.engine.rollout.gates.every import code_of
from runbook.engine.rollout.reasons import brake_pulled
from runbook.errors import ExitCode, RefusedError
from runbook.model.duration import in_words
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.rollout import Rollout, Standing

ANSWERED_WITHIN = timedelta(minutes=10)
"""A person who says yes later says it to what the gates said then."""
Ask = Callable[[Rollout], Answered]
"""Ask every gate of the stage that the rollout is in; gathers what they need."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What came of it; `acted` None where a gate held it up, and nothing was changed."""

    rollout: Rollout
    gates: tuple[Gate, ...]
    code: ExitCode
    acted: Acted | None = None


def advance(crew: Crew, rollout: str, ask: Ask, agree: Callable[[], None] = lambda: None) -> Advanced:
    """Ask the gates, and go on where all are passed. An entering that was cut off is brought to its end instead.

    `agree` asks the person, once every gate is passed; it raises what keeps it from going on. An answer that comes late
    is refused.

    Raises:
        LockedError: another process is entering a stage.
        RefusedError: the rollout is held, being taken back, or over.
        UnreachableError, StorageError, InterruptedRunError: as `enter`.
    """
    with crew.alone(rollout):
        now = crew.now(rollout)
        if now.standing is Standing.ENTERING:
            acted = go_on(crew, now)
            return Advanced(acted.rollout, (), acted.code, acted)
        check_running(now)
        answered = ask(now)
        code = code_of(answered.gates)
        if code is not ExitCode.DONE:
            return Advanced(now, answered.gates, code)
        _agreed(crew, agree)
        now = crew.now(rollout)  # asking takes its time: it may have been held or aborted meanwhile
        check_running(now)
        check_brake(now, crew)
        acted = _next(crew, now, answered)
        return Advanced(acted.rollout, answered.gates, acted.code, acted)


def _agreed(crew: Crew, agree: Callable[[], None]) -> None:
    clock = crew.ports.read.clock
    asked = clock.monotonic()
    agree()
    passed = timedelta(seconds=clock.monotonic() - asked)
    if passed > ANSWERED_WITHIN:
        raise RefusedError(
            f"the gates were asked {in_words(passed)} ago, and may be shut by now; nothing was changed",
            hint="runbook rollout advance asks them again",
        )


def check_running(rollout: Rollout) -> None:
    """Is it in a stage, and may it leave it?

    Raises:
        RefusedError: not so.
    """
    match rollout.standing:
        case Standing.RUNNING:
            return
        case Standing.HELD:
            told, hint = f"rollout {rollout.id} is held: {rollout.why}", "runbook rollout resume"
        case Standing.REVERTING:
            told, hint = f"rollout {rollout.id} is being taken back: {rollout.why}", "runbook rollout abort"
        case _:
            told, hint = f"rollout {rollout.id} is {rollout.standing.value}", "runbook rollout status"
    raise RefusedError(told, hint=hint)


def check_brake(rollout: Rollout, crew: Crew) -> None:
    """Was the emergency brake pulled since the stage was entered? Then it goes back, and no further.

    Raises:
        RefusedError: so it was.
    """
    if pulled := brake_pulled(rollout, crew.entries()):
        told = f"the emergency brake was pulled in {rollout.current.name}, run {pulled}"
        raise RefusedError(told, hint="runbook rollout abort   (runbook rollout watch does it by itself)")


def _next(crew: Crew, rollout: Rollout, answered: Answered) -> Acted:
    stage, stages = rollout.current, rollout.plan.stages
    last = stage.number + 1 == len(stages)
    if last or stages[stage.number + 1].phase != stage.phase:
        crew.bundle(rollout, f"the end of {stage.phase.name}")
    if not last:
        return enter(crew, rollout, stage.number + 1, answered.backups, answered.gates)
    why = f"{stage.name}, the last stage of {rollout.plan.name}, has passed every gate"
    ended = record.ended(stage, Standing.COMPLETED, why) | record.passed(answered.gates)
    crew.ports.journal.append(Event.ROLLOUT_ENDED, rollout.id, ended)
    return Acted(crew.now(rollout.id), ExitCode.DONE, why)
