"""The ports of the emergency brake, on the fleet of a rehearsal."""

from collections.abc import Callable

from runbook.adapters.brake import HttpBrake
from runbook.adapters.engram.token import authorization
from runbook.engine.drill_brake import BrakeScene, rehearse
from runbook.model.brake import Rollback
from runbook.model.drill import Rehearsal
from runbook.model.target import Node, Target
from runbook.ports import BrakePorts, ChangePorts


def rehearse_brake(what: str, target: Target, ports: ChangePorts, who: str, runs: tuple[str, str]) -> Rehearsal:
    """Pull the brake on that fleet, and undo it; `runs` are the names of the two runs.

    Raises:
        RunbookError: as the rehearsal raises.
    """

    def token(node: Node) -> str:
        return authorization(node, allow_plain_http=False).get("Authorization", "").removeprefix("Bearer ")

    def brake(elapsed: Callable[[], float]) -> BrakePorts:
        pulled = HttpBrake(token, elapsed)
        return BrakePorts(
            pulled, lambda: ports.journal, lambda: ports.plays, ports.read.clock, ports.read.talk, elapsed
        )

    return rehearse(BrakeScene(Rollback(what), target, brake, ports, who, *runs))
