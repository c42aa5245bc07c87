"""The parts of `runbook serve`, put together: what answers, and what works beside it."""

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.journal.following import Follower
from runbook.adapters.notify import FileCursors
from runbook.cli.compose import Session
from runbook.cli.issue import known_issues
from runbook.cli.notify.beside import tell_beside
from runbook.cli.screen import ScreenTalk
from runbook.config.document import found_receivers
from runbook.model.configuration import ServeSettings
from runbook.serve import exposition
from runbook.serve.app import Parts, application
from runbook.serve.console.routes import routes as console_routes
from runbook.serve.console.source import Source as ConsoleSource
from runbook.serve.metrics.journaled import Journaled
from runbook.serve.metrics.kept import Baselines, notifications, watches
from runbook.serve.metrics.sample import Sample, Source
from runbook.serve.sayings import Sayings
from runbook.serve.server import Beside
from runbook.serve.webhook import endpoint
from runbook.serve.webhook.credential import Credential
from runbook.serve.webhook.intake import Desk, Intake
from runbook.serve.webhook.outcomes import Outcome, Outcomes
from runbook.serve.work.following import follow
from runbook.serve.work.leading import Seat, before_of, run_of
from runbook.serve.work.notes import Notes
from runbook.serve.work.refusals import journal_refusals
from runbook.serve.work.targets import ConfiguredTargets
from runbook.serve.work.worker import Trade, Worker


@dataclass(frozen=True, slots=True)
class Scene:
    """What is served of."""

    current: Session
    targets: ConfiguredTargets
    said: ServeSettings
    host: str
    credential: Credential | None
    console: bool
    config: Path | None
    talk: ScreenTalk


def parts(scene: Scene) -> tuple[Any, list[Beside]]:
    """The application, and what runs beside it; made within the loop that runs them."""
    current, clock, say = scene.current, scene.current.clock, Sayings(scene.talk.say, scene.current.clock).say
    journal, outcomes = current.journal, Outcomes()
    follower = Follower(current.state, clock)
    intake = Intake(Desk(journal, clock, scene.targets, say))
    routes = endpoint.routes(endpoint.Webhook(scene.credential, intake, outcomes, clock, say))
    routes += exposition.routes(exposition.Exposition(_sources(scene, follower, outcomes), say))
    if scene.console:  # the last routes: they answer every address that is none
        beats = FileHeartbeats(current.state)
        routes += console_routes(ConsoleSource(follower, beats, clock, scene.targets.environments))

    def notes(taking: Intake, ending: asyncio.Event) -> Notes:
        return Notes(journal, taking.memory, say, ending)

    async def refusals(ending: asyncio.Event) -> None:
        await journal_refusals(outcomes, journal, clock, ending)

    async def telling(ending: asyncio.Event) -> None:
        await tell_beside(current, scene.config, ending)

    async def following(ending: asyncio.Event) -> None:
        await follow(follower, ending)

    beside: list[Beside] = [following, refusals, telling]
    if scene.credential is not None:
        trade = Trade(
            targets=scene.targets,
            runbooks=known_issues(),
            clock=clock,
            new_id=lambda: f"d{current.new_run_id()}",
            find_run=partial(run_of, follower),
            before_of=partial(before_of, follower),
            settle_seconds=scene.said.settle.total_seconds(),
        )
        beside.append(Worker(trade, Seat(current.locks, follower, intake, say), notes).run)
    return application(Parts(routes, (*scene.said.hosts, scene.host))), beside


def _sources(scene: Scene, follower: Follower, outcomes: Outcomes) -> list[Source]:
    """What /metrics is made of; the journal's soundness before all else of it, which reads on."""
    current, targets = scene.current, scene.targets
    journaled = Journaled(follower, targets.names)
    baselines = Baselines(current.store, targets.names, targets.addresses, current.clock)
    heartbeats, cursors = FileHeartbeats(current.state), FileCursors(current.state)

    def configuration() -> list[Sample]:
        """Nothing; why, where it does not read, is said by whoever asks."""
        targets.names()
        return []

    return [
        configuration,
        journaled.soundness,
        journaled.rollouts,
        journaled.runs,
        journaled.validations,
        journaled.backups,
        baselines.samples,
        lambda: watches(heartbeats),
        lambda: notifications(cursors, sorted(found_receivers(os.environ, scene.config).good)),
        lambda: [Sample("webhook_requests_total", (each.value,), outcomes.counts[each]) for each in Outcome],
    ]
