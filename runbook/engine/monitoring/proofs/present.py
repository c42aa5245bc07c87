"""The proof that an issue is there only with its leading symptom and one that supports it: as the command decides."""

from collections.abc import Iterator
from datetime import timedelta

from runbook.engine.monitoring.promql import number, of_nodes
from runbook.engine.monitoring.proofs.bounds import bounds
from runbook.engine.monitoring.proofs.craft import Scene, crafted, old_process
from runbook.engine.monitoring.proofs.nodes import MINUTE, STEP, firing
from runbook.model.monitoring import Expected, Given
from runbook.model.quantity import AboveBaseline, How, Measured, Reported, Sustained
from runbook.model.runbook import Runbook

STEPS = 60
LATE = timedelta(minutes=12)


def present_scenes(issue: Runbook) -> Iterator[tuple[tuple[Given, ...], tuple[Expected, ...]]]:
    """Leading and supporting; leading alone; supporting alone. An issue whose leading symptom stands alone has none."""
    supporting = [each.condition for each in issue.supporting if not isinstance(each.condition, Reported | Sustained)]
    leading = issue.leading.condition
    if issue.leading.alone or not supporting or isinstance(leading, Reported | Sustained):
        return
    scenes = {
        f"{issue.slug}-both": (leading, supporting[0]),
        f"{issue.slug}-leading": (leading,),
        f"{issue.slug}-supporting": (supporting[0],),
    }
    given = tuple(series for target, conditions in scenes.items() for series in _bad(target, conditions))
    expected = tuple(firing(issue.present_alert, target, LATE, yes=target.endswith("both")) for target in scenes)
    yield given, expected


def restarting(issue: Runbook) -> Iterator[tuple[tuple[Given, ...], tuple[Expected, ...]]]:
    """A counter under its limit, of a process that ends when it stands at a million: no spike."""
    condition, alert = issue.leading.condition, issue.leading.alert
    if not isinstance(condition, AboveBaseline) or condition.quantity.how is not How.RATE_PER_MINUTE:
        return
    scene = Scene(f"{issue.slug}-restart", STEP, STEPS)
    rise = number(condition.floor / 2 / 60 * STEP.total_seconds() / condition.quantity.scale)
    counter = of_nodes(condition.quantity.metric, (*scene.labels, *condition.quantity.labels))
    given = (Given(counter, f"1000000+{rise}x{STEPS // 2} 0+{rise}x{STEPS // 2}"),)
    yield given, tuple(firing(alert, scene.target, minute * MINUTE, yes=False) for minute in range(6, 14))


def _bad(target: str, conditions: tuple[Measured, ...]) -> list[Given]:
    scene = Scene(target, STEP, STEPS)
    given = [old_process(scene)]
    for condition in conditions:
        worst = [each for each in bounds(condition, holds=False) if each.fires and each.baseline is None]
        given += crafted(scene, worst[0].quantity, worst[0].value)
    return given
