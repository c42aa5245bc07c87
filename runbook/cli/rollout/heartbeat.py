"""Leave a sign of life at every look of a watch; whatever the disk says to it, the watch goes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk
from runbook.engine.rollout.looked import Look
from runbook.engine.rollout.watch import Watched
from runbook.errors import ExitCode, RunbookError
from runbook.model.heartbeat import Heartbeat
from runbook.model.rollout import Rollout

OFTEN_SECONDS = 1.0
"""What is said leaves a sign at most so often."""


class BeatingTalk(ScreenTalk):
    """What is said while a look takes long (a stage is entered, a node is waited for) is a sign of life, too."""

    def __init__(self) -> None:
        super().__init__()
        self.pulse: Pulse | None = None

    def say(self, text: str) -> None:
        """One line, and a sign."""
        super().say(text)
        if self.pulse is not None:
            self.pulse.spoke()


class Pulse:
    """Beats for one watch. What the disk refuses is told once, and again once it had taken one."""

    def __init__(self, current: Session, talk: BeatingTalk) -> None:
        self._current, self._talk = current, talk
        self._kept = FileHeartbeats(current.state)
        self._last: Heartbeat | None = None
        self._at = 0.0
        self._refused = False
        talk.pulse = self

    def began(self, rollout: Rollout) -> None:
        """It is watched, and nothing was looked at yet."""
        self._beat(self._sign(rollout, ExitCode.COULD_NOT_TELL, "the first look has not ended yet", 0))

    def looked(self, look: Look) -> None:
        """A look was taken."""
        looks = 1 if self._last is None else self._last.looks + 1
        quiet = tuple(dict.fromkeys(each.node for each in look.quiet))
        self._beat(replace(self._sign(look.rollout, look.code, look.told, looks), silent=quiet))

    def spoke(self) -> None:
        """Something was said between two looks."""
        if self._last is None or self._refused or self._last.ended:
            return
        if self._current.clock.monotonic() - self._at >= OFTEN_SECONDS:
            self._beat(replace(self._last, seen=self._current.clock.now()))

    def ended(self, watched: Watched) -> None:
        """The watch came to its end."""
        if self._last is not None:
            self._beat(
                replace(self._sign(watched.rollout, watched.code, watched.last.told, watched.looks), ended=watched.why)
            )

    def cut_off(self, why: str) -> None:
        """It is over before its end. One that never began, as another one watches, leaves the other's sign alone."""
        if self._last is not None:
            self._beat(replace(self._last, seen=self._current.clock.now(), ended=why))

    def _sign(self, rollout: Rollout, code: ExitCode, told: str, looks: int) -> Heartbeat:
        stage = rollout.current
        return Heartbeat(
            target=rollout.target,
            rollout=rollout.id,
            phase=stage.phase.name,
            stage=stage.name,
            standing=rollout.standing.value,
            share=stage.share,
            every=rollout.plan.check_every,
            seen=self._current.clock.now(),
            process=os.getpid(),
            machine=self._current.where,
            looks=looks,
            told=told,
            code=int(code),
        )

    def _beat(self, sign: Heartbeat) -> None:
        self._last, self._at = sign, self._current.clock.monotonic()
        before = self._refused
        try:
            self._kept.beat(sign)
            self._refused = False
        except RunbookError as error:
            self._refused = True
            if not before:
                told = "it is watched all the same, and others cannot see it"
                self._talk.say(f"NO SIGN OF LIFE ({error.message}): {told}")


@contextmanager
def ending(pulse: Pulse) -> Iterator[None]:
    """Whatever ends the watch from within is told in its last sign, an error too: only a killed one falls silent."""
    try:
        yield
    except KeyboardInterrupt:
        pulse.cut_off("interrupted")
        raise
    except RunbookError as error:
        pulse.cut_off(error.message)
        raise
    except Exception as error:
        pulse.cut_off(f"a bug: {type(error).__name__}")
        raise
