"""The proof that an issue is there only with its leading symptom and one that supports it: as the command decides."""

from collections.abc import Iterator
from datetime import timedelta

from runbook.engine.monitoring.proofs.bounds import bounds
from runbook.engine.monitoring.proofs.craft import Scene, crafted, old_process
from runbook.engine.monitoring.proofs.nodes import STEP, firing
from runbook.model.monitoring import Given, Proof
from runbook.model.quantity import Measured, Reported, Sustained
from runbook.model.runbook import Runbook

STEPS = 60
LATE = timedelta(minutes=12)


def present_proofs(issue: Runbook) -> Iterator[Proof]:
    """Leading and supporting; leading alone; supporting alone. An issue whose leading symptom stands alone has none."""
    supporting = [each.condition for each in issue.supporting if not isinstance(each.condition, Reported | Sustained)]
    leading = issue.leading.condition
    if issue.leading.alone or not supporting or isinstance(leading, Reported | Sustained):
        return
    scenes = {"both": (leading, supporting[0]), "leading": (leading,), "supporting": (supporting[0],)}
    given = tuple(series for target, conditions in scenes.items() for series in _bad(target, conditions))
    expected = tuple(firing(issue.present_alert, target, LATE, yes=target == "both") for target in scenes)
    yield Proof(f"{issue.title}: it takes both", given, expected)


def _bad(target: str, conditions: tuple[Measured, ...]) -> list[Given]:
    scene = Scene(target, STEP, STEPS)
    given = [old_process(scene)]
    for condition in conditions:
        worst = [each for each in bounds(condition, holds=False) if each.fires and each.baseline is None]
        given += crafted(scene, worst[0].quantity, worst[0].value)
    return given
