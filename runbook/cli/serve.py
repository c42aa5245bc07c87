"""Carry out `runbook serve`: put the parts together, say where it listens, serve until a signal comes."""

import asyncio
import os
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.journal.following import Follower
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.issue import known_issues
from runbook.cli.notify.beside import tell_beside
from runbook.cli.screen import ScreenTalk, show, show_json_line
from runbook.errors import ExitCode
from runbook.model.configuration import ServeSettings
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.serve import exposition
from runbook.serve.app import Parts, application
from runbook.serve.console.routes import routes as console_routes
from runbook.serve.console.source import Source as ConsoleSource
from runbook.serve.metrics.journaled import Journaled
from runbook.serve.metrics.kept import Baselines, watches
from runbook.serve.metrics.sample import Sample, Source
from runbook.serve.server import Beside, listener, serve
from runbook.serve.webhook import endpoint
from runbook.serve.webhook.credential import Credential
from runbook.serve.webhook.intake import Desk, Intake
from runbook.serve.webhook.outcomes import Outcome, Outcomes
from runbook.serve.work.following import follow
from runbook.serve.work.leading import Seat
from runbook.serve.work.notes import Notes
from runbook.serve.work.refusals import journal_refusals
from runbook.serve.work.targets import ConfiguredTargets
from runbook.serve.work.worker import Trade, Worker

_OPEN = (
    "warning: {host} can be reached from other machines. Whoever reaches it reads the journal on the console, and "
    "nothing is encrypted. Put a proxy with TLS and a login in front of it, or serve on 127.0.0.1."
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    host: str | None
    port: int | None
    console: bool
    config: Path | None
    as_json: bool


def serve_until_told(wishes: Wishes) -> ExitCode:
    """Serve; the exit code says which signal ended it.

    Raises:
        UnreachableError: the port is taken, or the address is none of this machine.
        UsageError: there is no such address, or the webhook's token file cannot be used.
        RefusedError: others may read the webhook's token file.
        DamagedError: the configuration does not read.
    """
    current = compose.session()
    current.telling.config = wishes.config
    targets = ConfiguredTargets(os.environ, wishes.config, current.state)
    said = targets.config().serve
    host = wishes.host or said.host
    credential = None if said.webhook_token_file is None else Credential(said.webhook_token_file)
    if credential is not None:
        credential.refresh()
    with ScreenTalk() as talk, listener(host, said.port if wishes.port is None else wishes.port) as listening:
        if not _is_loopback(host):
            talk.say(_OPEN.format(host=host))
        scene = Scene(current, targets, said, credential, talk)
        _announce(host, listening.getsockname()[1], wishes, scene)
        code = serve(lambda: _parts(scene, wishes), listening)
        talk.say("ended; what was not answered yet is taken up at the next start")
    return code


@dataclass(frozen=True, slots=True)
class Scene:
    """What is served of."""

    current: Session
    targets: ConfiguredTargets
    said: ServeSettings
    credential: Credential | None
    talk: ScreenTalk


def _parts(scene: Scene, wishes: Wishes) -> tuple[Any, list[Beside]]:
    """The application, and what runs beside it; made within the loop that runs them."""
    current, clock, say = scene.current, scene.current.clock, scene.talk.say
    journal, outcomes = current.journal, Outcomes()
    follower = Follower(current.state, clock)
    intake = Intake(Desk(journal, clock, scene.targets, say))
    routes = endpoint.routes(endpoint.Webhook(scene.credential, intake, outcomes, clock, say))
    routes += exposition.routes(exposition.Exposition(_sources(scene, follower, outcomes), say))
    if wishes.console:  # the last routes: they answer every address that is none
        beats = FileHeartbeats(current.state)
        routes += console_routes(ConsoleSource(follower, beats, clock, scene.targets.environments))

    def notes(taking: Intake, ending: asyncio.Event) -> Notes:
        return Notes(journal, taking.memory, say, ending)

    async def refusals(ending: asyncio.Event) -> None:
        await journal_refusals(outcomes, journal, clock, ending)

    async def following(ending: asyncio.Event) -> None:
        await follow(follower, ending)

    async def telling(ending: asyncio.Event) -> None:
        await tell_beside(current, wishes.config, ending)

    beside: list[Beside] = [following, refusals, telling]
    if scene.credential is not None:
        trade = Trade(
            scene.targets, known_issues(), clock, lambda: f"d{current.new_run_id()}", scene.said.settle.total_seconds()
        )
        beside.append(Worker(trade, Seat(current.locks, follower, intake), notes).run)
    return application(Parts(routes, scene.said.hosts)), beside


def _sources(scene: Scene, follower: Follower, outcomes: Outcomes) -> list[Source]:
    """What /metrics is made of; the journal's soundness first, which reads on."""
    current, targets = scene.current, scene.targets
    journaled = Journaled(follower, targets.names)
    baselines = Baselines(current.store, targets.names, targets.addresses, current.clock)
    heartbeats = FileHeartbeats(current.state)
    return [
        journaled.soundness,
        journaled.rollouts,
        journaled.runs,
        journaled.validations,
        journaled.backups,
        baselines.samples,
        lambda: watches(heartbeats),
        lambda: [Sample("webhook_requests_total", (each.value,), outcomes.counts[each]) for each in Outcome],
    ]


def _announce(host: str, port: int, wishes: Wishes, scene: Scene) -> None:
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    automatic = {name: each.automatic for name, each in scene.targets.config().targets.items() if each.automatic.issues}
    webhook = scene.credential is not None
    if wishes.as_json:
        data = {
            "url": url,
            "pid": os.getpid(),
            "console": wishes.console,
            "webhook": webhook,
            "acts": sorted(automatic),
        }
        show_json_line(envelope("serving", "runbook serve", ExitCode.DONE, data))
        return
    show([line(f"listens on {url}", Style.STRONG)])
    state = "takes alerts" if webhook else "off: [serve] webhook_token_file names no token"
    show([line(f"webhook  {url}{endpoint.PATH}  {state}")])
    for name, each in sorted(automatic.items()):
        what = f"{', '.join(each.issues)} up to risk {each.max_risk.name.lower()}"
        show([line(f"acts by itself on {name}: {what}, {each.most_per_day} times a day at most", Style.UNSURE)])
    sys.stdout.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
