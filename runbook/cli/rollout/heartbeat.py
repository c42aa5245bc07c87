"""Leave a sign of life at every look of a watch; whatever the disk says to it, the watch goes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.cli.compose import Session
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.look import Look
from runbook.errors import RunbookError
from runbook.model.heartbeat import Heartbeat


class Pulse:
    """Beats for one watch. What the disk refuses is told once, and again once it had taken one."""

    def __init__(self, current: Session, crew: Crew) -> None:
        self._current, self._crew = current, crew
        self._kept = FileHeartbeats(current.state)
        self._last: Heartbeat | None = None
        self._refused = False

    def looked(self, look: Look) -> None:
        """A look was taken."""
        rollout = look.rollout
        stage = rollout.current
        self._last = Heartbeat(
            target=self._crew.target.name,
            rollout=rollout.id,
            phase=stage.phase.name,
            stage=stage.name,
            standing=rollout.standing.value,
            share=stage.share,
            every=rollout.plan.check_every,
            seen=self._current.clock.now(),
            process=os.getpid(),
            machine=self._current.where,
            looks=1 if self._last is None else self._last.looks + 1,
            told=look.told,
            code=int(look.code),
        )
        self._beat(self._last)

    def ended(self, why: str) -> None:
        """The watch is over, in order; one that never looked, as another one watches, leaves the other's sign alone."""
        if self._last is not None:
            self._beat(replace(self._last, seen=self._current.clock.now(), ended=why))

    def _beat(self, sign: Heartbeat) -> None:
        try:
            self._kept.beat(sign)
        except RunbookError as error:
            if not self._refused:
                self._crew.say(
                    f"NO SIGN OF LIFE ({error.message}): it is watched all the same, and others cannot see it"
                )
            self._refused = True
        else:
            self._refused = False


@contextmanager
def ending(pulse: Pulse) -> Iterator[None]:
    """Whatever ends the watch from within is told in its last sign, an error too: only a killed one falls silent."""
    try:
        yield
    except KeyboardInterrupt:
        pulse.ended("interrupted")
        raise
    except RunbookError as error:
        pulse.ended(error.message)
        raise
    except Exception as error:
        pulse.ended(f"a bug: {type(error).__name__}")
        raise
