"""Rehearse the emergency brake on a fleet that was started for it: flags off, read back, and on again by an undo."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.carry import Context
from runbook.engine.history import runs_of
from runbook.engine.rollback import rollback
from runbook.engine.undo import undo, undo_plan
from runbook.errors import RefusedError
from runbook.model.brake import FLAGS, Rollback
from runbook.model.drill import Phase, Rehearsal
from runbook.model.measurement import Silence
from runbook.model.run import RunStatus
from runbook.model.target import Target
from runbook.ports import BrakePorts, ChangePorts

OFF_LIMIT = timedelta(seconds=1)
"""From the pull to the last node that took it: the goal of the brake, for a hundred nodes."""

VERIFIED_LIMIT = timedelta(seconds=3)
"""From the pull to the last node that was read back as off: the same goal."""

DURABLE_LIMIT = timedelta(seconds=60)
"""From the pull to the end of the rollback, with the play."""

RESTORED_LIMIT = timedelta(seconds=60)
"""From the undo to the last flag that was read back as it was."""


@dataclass(frozen=True, slots=True)
class BrakeScene:
    """What is rehearsed, where, and by which ports; all of them are of the fleet that was started for it.

    `brake` makes the ports of the brake, given what tells the milliseconds since it was pulled.
    """

    what: Rollback
    target: Target
    brake: Callable[[Callable[[], float]], BrakePorts]
    change: ChangePorts
    who: str
    run_id: str
    undo_id: str

    def flags(self) -> dict[str, dict[str, bool | None]]:
        """Each flag of each node as the node tells it now; None where it does not."""
        settings = self.change.read.nodes.settings(self.target.nodes)
        found: dict[str, dict[str, bool | None]] = {}
        for node in self.target.nodes:
            known = settings.get(node.name)
            told = {} if known is None or isinstance(known, Silence) else known
            found[node.name] = {key: bool(told[key]) if key in told else None for key in FLAGS[self.what]}
        return found

    def say(self, text: str) -> None:
        """Tell the person."""
        self.change.read.talk.say(text)


def rehearse(scene: BrakeScene) -> Rehearsal:
    """Pull the brake on a fleet with every flag on, look at each node, and put all of it back.

    Raises:
        RefusedError: a flag is not on to begin with, so that nothing can be learned.
        RunbookError: as the ports raise.
        InterruptedRunError: the rehearsal was interrupted.
    """
    if wrong := _not_all(scene, on=True):
        raise RefusedError(f"the drill's fleet is not well to begin with: {'; '.join(wrong)}")
    clock = scene.change.read.clock
    scene.say(f"1 of 2: pull the brake (rollback {scene.what.value}) on {len(scene.target.nodes)} nodes")
    pulled = clock.monotonic()
    ports = scene.brake(lambda: (clock.monotonic() - pulled) * 1000)
    wish = Wish(scene.what, scene.run_id, "drill", DURABLE_LIMIT.total_seconds())
    rolled = rollback(ports, scene.target, wish)
    durable = clock.monotonic() - pulled
    if rolled.interrupted is not None:
        raise KeyboardInterrupt
    why = [*_not_durable(rolled)]
    phases = [*_pulled(rolled), Phase("durable", None if why else durable, _seconds(DURABLE_LIMIT))]
    why += [f"after the rollback, {each}" for each in _not_all(scene, on=False)]
    scene.say("2 of 2: undo it")
    began = clock.monotonic()
    missing = _undo(scene)
    restored = None if missing else clock.monotonic() - began
    return Rehearsal((*phases, Phase("restored", restored, _seconds(RESTORED_LIMIT))), (*why, *missing))


def _pulled(rolled: Rolled) -> tuple[Phase, Phase]:
    """When the last node was off, and read back as off; not where HTTP did not get it off, whatever the play did."""
    off = _last(each.pulled.off_ms if each.pulled.off else None for each in rolled.nodes)
    verified = _last(each.pulled.verified_ms if each.pulled.off else None for each in rolled.nodes)
    return Phase("off", off, _seconds(OFF_LIMIT)), Phase("verified", verified, _seconds(VERIFIED_LIMIT))


def _not_durable(rolled: Rolled) -> tuple[str, ...]:
    """Where the play did not do what it is for: HTTP alone would not outlive every restart."""
    if rolled.play_problem:
        return (f"the play did not make it durable: {rolled.play_problem}",)
    return tuple(
        f"the play did not make it durable on {each.node.name}: {each.play.message if each.play else 'it did not run'}"
        for each in rolled.nodes
        if each.play is None or not each.play.done
    )


def _last(milliseconds: Iterable[float | None]) -> float | None:
    found = list(milliseconds)
    known = [each for each in found if each is not None]
    return max(known) / 1000 if known and len(known) == len(found) else None


def _undo(scene: BrakeScene) -> tuple[str, ...]:
    """Undo the rollback; what is not as it was before."""
    run = runs_of(scene.change.journal.entries())[scene.run_id]
    carried = undo(Context(scene.change, scene.target, scene.who), undo_plan(run, scene.undo_id, "drill"))
    ended = () if carried.status is RunStatus.DONE else (f"the undo ended as {carried.status.value}",)
    return (*ended, *(f"after the undo, {each}" for each in _not_all(scene, on=True)))


def _not_all(scene: BrakeScene, *, on: bool) -> tuple[str, ...]:
    """The flags that are not all that, node by node; one that cannot be read is not."""
    words = {True: "is on", False: "is off", None: "cannot be read"}
    return tuple(
        f"{key} {words[value]} on {name}"
        for name, flags in scene.flags().items()
        for key, value in flags.items()
        if value is not on
    )


def _seconds(limit: timedelta) -> float:
    return limit.total_seconds()
