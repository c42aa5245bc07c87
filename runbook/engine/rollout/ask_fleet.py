"""Put a plan's criteria, or its triggers, to every node of the fleet. Reads only."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook.engine.ask import ask
from runbook.engine.evaluate import allowing
from runbook.engine.measure import gather, measure, series_of
from runbook.engine.rollout.facts import Live
from runbook.engine.rollout.values import silent, unlike, wanted
from runbook.model.finding import Finding
from runbook.model.measurement import Baseline, Measurement, NodeSettings, Samples, Silence, WarmUp
from runbook.model.quantity import Condition, Quantity, quantities_of
from runbook.model.rollout import Rollout
from runbook.model.runbook import Symptom
from runbook.model.target import Target
from runbook.ports import ReadPorts

Asked = Sequence[tuple[str, Condition]]
"""Conditions, each with its title."""


def ask_fleet(
    asked: Asked, target: Target, ports: ReadPorts, baseline: Baseline | None, window: timedelta
) -> tuple[Finding, ...]:
    """Each question for each node, over one window; what asks for more time looks back as long as the source can.

    A finding's question is the title. A node that is silent is UNKNOWN in each.

    Raises:
        UnreachableError: the metrics source itself cannot be reached.
    """
    if not asked:
        return ()
    quantities = [quantity for _, condition in asked for quantity in quantities_of(condition)]
    samples = gather(ports, target.nodes, series_of(quantities), window)
    lasting = [each.over for each in quantities if each.over is not None]
    history = samples
    if lasting and ports.probes.looks_back:
        history = ports.probes.samples(target.nodes, series_of(quantities), max(lasting))
    warm_up = WarmUp(target.warm_up, ports.clock.now().timestamp())
    return tuple(_answers(asked, target, (samples, history, warm_up), baseline, ports.probes.source))


def _answers(
    asked: Asked, target: Target, read: tuple[Samples, Samples, WarmUp], baseline: Baseline | None, source: str
) -> Iterator[Finding]:
    samples, history, warm_up = read
    for node in (each.name for each in target.nodes):

        def now(quantity: Quantity, node: str = node) -> Measurement:
            found = (samples if quantity.over is None else history).get(node, Silence(node, "it was not read"))
            reach = 0.0 if baseline is None else baseline.reach(node, quantity.name)
            return allowing(measure(node, found, quantity, warm_up), reach)

        def before(quantity: Quantity, node: str = node) -> float | None:
            return None if baseline is None else baseline.quantity(node, quantity.name)

        for title, condition in asked:
            yield ask(Symptom(title, condition), node, now, before, {}, source)


def criteria_of(rollout: Rollout) -> Asked:
    """What must be so before the present stage is left."""
    return [(each.title, each.condition) for each in rollout.current.phase.criteria]


def triggers_of(rollout: Rollout) -> Asked:
    """What takes it back in the present stage."""
    return [(each.title, each.condition) for each in rollout.current.phase.triggers]


def agreement(rollout: Rollout, settings: NodeSettings) -> Live:
    """Do the nodes run with what the present stage wants? Only that is known then."""
    return Live(drift=unlike(settings, wanted(rollout.plan, rollout.current)), silent=silent(settings))
