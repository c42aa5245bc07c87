"""Have the splitters split as the stage wants it again: one was replaced, or changed by hand. Nothing else is set.

Only where a person lets a held rollout go: no share comes back by itself, and none after the brake.
"""

from collections.abc import Sequence

from runbook.engine.carry import Context, carry_out
from runbook.engine.rollout.advance import check_brake
from runbook.engine.rollout.allowed import check_allowed
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.revert import Why, blind
from runbook.engine.rollout.values import silent, steps_on_splitters, unlike, wanted
from runbook.errors import ExitCode, RefusedError
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import ROLLOUT, RunPlan, RunStatus, RunStep


def mending(crew: Crew, rollout: Rollout) -> tuple[RunStep, ...]:
    """What differs on the splitters that answer from the stage that it is held in; nothing where it is in none.

    Raises:
        RefusedError: the emergency brake was pulled in the stage.
    """
    if not crew.target.splitters or not rollout.inside or rollout.standing is not Standing.HELD:
        return ()
    check_brake(rollout, crew)
    settings = crew.ports.read.nodes.settings(crew.target.splitters)
    for each in silent(settings):
        crew.say(f"not set: {each}")
    values = wanted(crew.target, rollout.plan, rollout.current)
    wrong = {name: known for name, known in settings.items() if unlike({name: known}, values)}
    return steps_on_splitters(crew.target, wrong, rollout.plan, rollout.current).steps


def mend(crew: Crew, rollout: Rollout, steps: Sequence[RunStep], reason: str) -> Acted:
    """Take these steps; the caller holds `crew.alone`. Where one fails it is put back, and the rollout stays held.

    Where it is taken back meanwhile, what these steps set goes back too.

    Raises:
        RefusedError: it has gone on meanwhile, or the emergency brake was pulled; or the target's rails do not let it
            happen now. Nothing was changed.
        LockedError, StorageError, InterruptedRunError: as any run.
    """
    now = crew.now(rollout.id)
    if (now.standing, now.stage) != (rollout.standing, rollout.stage):
        raise RefusedError(f"rollout {now.id} has gone on meanwhile: {now.standing.value}, {now.current.name}")
    check_brake(now, crew)  # who was asked may have thought about it for long
    plan = RunPlan(crew.new_id(), "rollout resume", ROLLOUT, crew.target.name, reason, tuple(steps))
    mine = [each for each in now.approved if each.digest == now.digest]
    check_allowed(crew, now.current, plan, now.who, mine)
    crew.say(f"setting what splits the traffic of {now.current.name}")
    status = carry_out(Context(crew.ports, crew.target, crew.who), plan).status
    after = crew.now(now.id)
    if after.standing is not Standing.HELD:
        # Taken back meanwhile, by another process: a play of ours may have set something after that one's last look.
        rolled, _ = blind(crew, Why("person", after.why, after.standing))
        told = f"rollout {after.id} is {after.standing.value}: {after.why}"
        return Acted(crew.now(now.id), ExitCode.BAD_NEWS, told, plan.id, rolled)
    if status is RunStatus.DONE:
        return Acted(after, ExitCode.DONE, f"what splits the traffic is as {now.current.name} wants it", plan.id)
    return Acted(after, status.exit_code, f"run {plan.id}, which was to set it, is {status.value}", plan.id)
