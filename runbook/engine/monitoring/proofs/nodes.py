"""The proof of the alerts of nodes: down, lost, started again, silent on a metric."""

from datetime import timedelta

from runbook.engine.monitoring.promql import number, of_nodes, selector
from runbook.engine.monitoring.proofs.craft import OLD, START, Scene
from runbook.model.monitoring import Expected, Given, Proof

STEP = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
STEPS = 60


def firing(name: str, target: str, at: timedelta, *, yes: bool, more: tuple[tuple[str, str], ...] = ()) -> Expected:
    """Does that alert fire for that target at that moment?"""
    labels = {"alertname": name, "alertstate": "firing", **({"target": target} if target else {}), **dict(more)}
    return Expected(f"count({selector('ALERTS', labels)})", at, 1.0 if yes else None)


def node_proofs() -> tuple[Proof, ...]:
    """Each in a Prometheus of its own, since one of them is that there is no node at all."""
    return (_nothing(), _states(), _silent())


def _up(scene: Scene, values: str) -> Given:
    return Given(of_nodes("up", scene.labels), values)


def _nothing() -> Proof:
    told = (
        firing("NoNodeScraped", "", MINUTE / 2, yes=False),
        firing("NoNodeScraped", "", 2 * MINUTE, yes=True),
    )
    return Proof("No node is scraped: silence is no health", (), told)


def _states() -> Proof:
    well, down, blip, again, often, lost = (
        Scene(each, STEP, STEPS) for each in ("well", "down", "blip", "again", "often", "lost")
    )
    old, born = number(OLD), number(OLD + 1)
    given = [
        _up(well, "1+0x60"),
        _up(down, "1+0x8 0+0x52"),
        _up(blip, "1+0x8 0+0x1 1+0x51"),
        Given(of_nodes(START, well.labels), f"{old}+0x60"),
        Given(of_nodes(START, again.labels), f"{old}+0x20 {born}+0x40"),
        Given(of_nodes(START, often.labels), f"{old}+60x60"),
        Given(selector("engram_runbook_baseline", _known(well)), "1+0x60"),
        Given(selector("engram_runbook_baseline", _known(lost)), "1+0x60"),
        Given(of_nodes("up", (("instance", "nameless:7432"),)), "1+0x60"),
    ]
    told = [
        firing("NodeDown", "well", 6 * MINUTE, yes=False),
        firing("NodeDown", "down", 3 * MINUTE, yes=False),
        firing("NodeDown", "down", 4 * MINUTE, yes=True),
        firing("NodeDown", "blip", 4 * MINUTE, yes=False),
        firing("NoNodeScraped", "", 6 * MINUTE, yes=False),
        firing("NodeRestarted", "well", 6 * MINUTE, yes=False),
        firing("NodeRestarted", "again", 6 * MINUTE, yes=True),
        firing("NodeKeepsRestarting", "again", 6 * MINUTE, yes=False),
        firing("NodeKeepsRestarting", "often", 6 * MINUTE, yes=True),
        firing("NodeNotScraped", "well", 6 * MINUTE, yes=False),
        firing("NodeNotScraped", "lost", 6 * MINUTE, yes=True),
        Expected('count(ALERTS{alertname="NodeWithoutTarget",alertstate="firing"})', 6 * MINUTE, 1.0),
    ]
    return Proof("Down, started again, lost", tuple(given), tuple(told))


def _known(scene: Scene) -> dict[str, str]:
    return {"target": scene.target, "node": "one", "address": scene.address, "quantity": "any"}


def _silent() -> Proof:
    """One metric of two is missing."""
    scene = Scene("half", STEP, STEPS)
    given = (_up(scene, "1+0x60"), scene.flat("engram_episodes", 1))
    tells, silent = ((("metric", name),) for name in ("engram_episodes", "engram_bindings"))
    told = (
        firing("NodeSilentOn", "half", 4 * MINUTE, yes=False, more=silent),
        firing("NodeSilentOn", "half", 6 * MINUTE, yes=True, more=silent),
        firing("NodeSilentOn", "half", 6 * MINUTE, yes=False, more=tells),
    )
    return Proof("A node that answers and does not tell a metric", given, told)
