"""What came of one look at a rollout, and how it is said. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from runbook.engine.rollout.crew import Acted
from runbook.engine.rollout.eyes import Rows
from runbook.engine.rollout.triggers import Asked
from runbook.errors import ExitCode
from runbook.model.answer import Answer
from runbook.model.gate import Gate
from runbook.model.judgement import Judgement
from runbook.model.measurement import Silence
from runbook.model.rollout import NOTHING, Rollout, Standing

NO_ROWS = Rows()


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found and did. `judgement` is that of a planned look which was taken now.

    `code` is for who looks once: 0 where all is well, 4 where something could not be told, 3 where it is taken back.
    `quiet` are those that did not tell what was asked. `lasted` is how long the stage has lasted, `left` how much
    longer it has to at least.
    """

    rollout: Rollout
    code: ExitCode
    told: str
    asked: tuple[Asked, ...] = ()
    judgement: Judgement | None = None
    gates: tuple[Gate, ...] = ()
    rows: Rows = NO_ROWS
    quiet: tuple[Silence, ...] = ()
    acted: Acted | None = None
    overdue: str = ""
    lasted: timedelta = NOTHING
    left: timedelta = NOTHING


def beside(look: Look, dead: Sequence[Silence]) -> Look:
    """With the splitters that are silent."""
    if not dead:
        return look
    told = f"{look.told}; silent: {'; '.join(each.words for each in dead)}"
    found = replace(look.rows, silent=(*look.rows.silent, *dead))
    return replace(look, code=ExitCode.COULD_NOT_TELL, told=told, rows=found, quiet=(*look.quiet, *dead))


def taken(acted: Acted) -> Look:
    """Where all that was done was to enter, or to go back."""
    return with_acted(Look(acted.rollout, acted.code, acted.told), acted)


def with_acted(look: Look, acted: Acted) -> Look:
    """With what was done about what it had found."""
    code = ExitCode.BAD_NEWS if acted.rollout.standing.is_over and acted.code is ExitCode.DONE else acted.code
    return replace(look, rollout=acted.rollout, code=code, told=acted.told, acted=acted)


def code_of_end(rollout: Rollout) -> ExitCode:
    """Of a rollout that is over, or no more as it was: only its completion is good news."""
    return ExitCode.DONE if rollout.standing is Standing.COMPLETED else ExitCode.BAD_NEWS


def words(rollout: Rollout, asked: Sequence[Asked], quiet: Sequence[Silence]) -> str:
    """The answers by number, and who was silent, and why."""
    counts = [f"{sum(each.answer is answer for each in asked)} {answer.value}" for answer in Answer]
    told = f"{rollout.current.name}: triggers {', '.join(counts)}" if asked else f"{rollout.current.name}: no triggers"
    return f"{told}; silent: {'; '.join(dict.fromkeys(each.words for each in quiet))}" if quiet else told
