"""Carry out `runbook rollout watch`, and the watching that `start` does."""

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from runbook.adapters.readiness import say_ready
from runbook.cli import compose, signals
from runbook.cli.compose import Session
from runbook.cli.rollout.access_logs import LogsBeside, StageLogs
from runbook.cli.rollout.crew import crew_of
from runbook.cli.rollout.heartbeat import BeatingTalk, Pulse, ending
from runbook.cli.rollout.where import Where, going
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.eyes import Eyes
from runbook.engine.rollout.looked import Look
from runbook.engine.rollout.watch import Until, Watched, Wishes, watch
from runbook.errors import ExitCode
from runbook.model.rollout import Rollout
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.rollout_watched import look_text, watched_data, watched_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class WatchWishes:
    """What was said on the command line."""

    until: str
    timeout: timedelta | None
    once: bool


def eyes_of(current: Session, target: Target, talk: ScreenTalk) -> Eyes:
    """Rows of the nodes, the watcher's own store, the recorded baseline; the access logs of what splits the traffic."""
    source, store = compose.cell_source(target, talk), compose.cell_store(current, target.name)
    logs = StageLogs(current, target, talk.say) if target.splitters else None
    return Eyes(source, store, current.store.load_baseline(target.name), logs)


def look_after(where: Where, wishes: WatchWishes) -> ExitCode:
    """Watch the target's rollout.

    Raises:
        RefusedError: there is none.
        LockedError: another process watches it.
        InterruptedRunError: a signal; nothing is lost.
    """
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    rollout = going(current, target.name)
    how = Wishes(Until(wishes.until), wishes.timeout, wishes.once)
    with BeatingTalk() as talk:
        crew, pulse = crew_of(current, target, talk), Pulse(current, talk)
        watched = watched_by(crew, eyes_of(current, target, talk), rollout, how, pulse)
    return tell(where, "watch", watched)


def watched_by(crew: Crew, eyes: Eyes, rollout: Rollout, how: Wishes, pulse: Pulse) -> Watched:
    """The watch; every look leaves its sign of life, and one that says something new is told."""
    again = f"runbook rollout watch --target {crew.target.name}"
    say = _teller(crew, bar=how.timeout is None and sys.stderr.isatty())

    def tell_look(look: Look) -> None:
        pulse.looked(look)
        say(look)

    def begun() -> None:
        pulse.began(rollout)
        say_ready(os.environ)  # before the first look: a node that is silent is no watch that does not come up

    with (
        signals.way_on("the journal knows where the rollout stands", again),
        ending(pulse),
        beside(eyes, how) as looking,
    ):
        watched = watch(crew, looking, rollout, how, tell_look, begun)
    pulse.ended(watched)
    return watched


@contextmanager
def beside(eyes: Eyes, how: Wishes) -> "Iterator[Eyes]":
    """Eyes whose looks do not wait for access logs; who looks but once has to wait for them."""
    if how.once or not isinstance(eyes.logs, StageLogs):
        yield eyes
        return
    with LogsBeside(eyes.logs) as logs:
        yield replace(eyes, logs=logs)


def _teller(crew: Crew, *, bar: bool) -> "Callable[[Look], None]":
    """Say what is new; with `bar` show how long the stage has to last yet."""
    said = ""

    def tell_look(look: Look) -> None:
        nonlocal said
        text = look_text(look)
        if text != said:
            crew.say(text)
            said = text
        if bar and look.left:
            lasted = look.lasted.total_seconds()
            total = lasted + look.left.total_seconds()
            crew.ports.read.talk.progress(f"{look.rollout.current.name} lasts", lasted, total)

    return tell_look


def tell(where: Where, command: str, watched: Watched) -> ExitCode:
    """Print how it ended."""
    if where.as_json:
        data: dict[str, Any] = watched_data(watched)
        show_json(envelope("rollout_watched", f"runbook rollout {command}", watched.code, data))
    else:
        show(watched_lines(watched))
    return watched.code
