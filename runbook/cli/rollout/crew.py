"""Put together what acting on a rollout needs; only commands come by here."""

import time

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.rollback import pull
from runbook.cli.screen import ScreenTalk
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollout.crew import Crew
from runbook.model.rollout import Rollout
from runbook.model.target import Target


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
