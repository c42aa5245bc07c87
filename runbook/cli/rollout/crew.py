"""Put together what acting on a rollout needs; only commands come by here."""

import time
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.rollback import pull
from runbook.cli.screen import ScreenTalk
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.state import current_of, newest_of
from runbook.errors import RefusedError
from runbook.model.rollout import Rollout
from runbook.model.target import Target


@dataclass(frozen=True, slots=True)
class Where:
    """Which target, and how it is told."""

    target: str | None
    config: Path | None
    as_json: bool


def crew_of(current: Session, target: Target, talk: ScreenTalk) -> Crew:
    """The real one: Ansible, the brake of `runbook rollback features`, the shelf of the evidence.

    Raises:
        RefusedError: every node has a token file, and not one of these files is there.
    """

    def brake(wish: Wish) -> Rolled:
        return pull(target, wish, current.telling, talk, time.monotonic())

    ports = compose.change_ports(current, target, compose.read_ports(current, target, talk))

    def bundle(rollout: Rollout, why: str) -> None:
        from runbook.cli.rollout.evidence import sources_of  # noqa: PLC0415 - numpy comes with it, and few need it
        from runbook.engine.proof.write import write_bundle  # noqa: PLC0415 - same

        sources = sources_of(current, target, ports)
        talk.say(f"evidence: {write_bundle(sources, rollout, why)}")

    return Crew(ports, target, f"{current.who}@{current.where}", current.new_run_id, brake, bundle)


def going(current: Session, target: str) -> Rollout:
    """The target's rollout that is not over.

    Raises:
        RefusedError: there is none.
        DamagedError: the journal does not read.
    """
    journal = current.journal
    entries = [*journal.entries(), *journal.waiting()]  # what a rollback could not journal waits in the second place
    found = current_of(entries, target)
    if found is not None:
        return found
    last = newest_of(entries, target)
    told = "there never was one" if last is None else f"the last one, {last.id}, is {last.standing.value}: {last.why}"
    raise RefusedError(f"no rollout of {target} is under way; {told}", hint="runbook rollout start")
