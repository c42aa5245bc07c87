"""Carry out `runbook rollout plan`: tell a plan, and what the fleet's spaces give to each judged stage. Reads only."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from runbook.cli import compose
from runbook.cli.rollout.plans import chosen
from runbook.cli.rollout.where import Where
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.judging.collect import collect
from runbook.engine.judging.fleet_arms import StageArms, arms_of_plan
from runbook.engine.rollout.state import current_of
from runbook.errors import ExitCode, RunbookError, UsageError
from runbook.model.rollout import RolloutPlan
from runbook.report.document import envelope
from runbook.report.rollout_plan import plan_data, plan_lines

if TYPE_CHECKING:
    from runbook.engine.judging.behaviour import Rows

BUILT_IN = "dual-memory"


def tell_plan(where: Where, named: str | None, *, yaml: bool) -> ExitCode:
    """Print it: the plan that was named, else that of the target's rollout, else the built-in one.

    Raises:
        UsageError: there is no such plan; or --yaml and --json at once.
        DamagedError, NotSupportedError, StorageError: its file is no plan.
    """
    if yaml and where.as_json:
        raise UsageError("--yaml and --json at once", hint="choose one")
    plan = chosen(named) if named is not None else _present(where)
    if yaml:
        from runbook.adapters.rollout_plans import plan_yaml  # noqa: PLC0415  # yaml: 26 ms

        click.echo(plan_yaml(plan), nl=False)
        return ExitCode.DONE
    arms, told = _fleet(where, plan)
    if where.as_json:
        show_json(envelope("rollout_plan", "runbook rollout plan", ExitCode.DONE, plan_data(plan, arms, told)))
    else:
        show(plan_lines(plan, arms, told))
    return ExitCode.DONE


def _present(where: Where) -> RolloutPlan:
    """The plan of the rollout that is under way; no target is no rollout."""
    current = compose.session()
    try:
        name = compose.target_name(current, where.target, where.config)
    except UsageError:
        if where.target is not None:
            raise
        return chosen(BUILT_IN)
    found = current_of([*current.journal.entries(), *current.journal.waiting()], name)
    return chosen(BUILT_IN) if found is None else found.plan


def _fleet(where: Where, plan: RolloutPlan) -> tuple[tuple[StageArms, ...], str]:
    """What the spaces that recalls were seen of give to each judged stage; and in words, or why none is known."""
    current = compose.session()
    try:
        target = compose.target_of(current, where.target, where.config)
        store, now = compose.cell_store(current, target.name), current.clock.now().timestamp()
        with ScreenTalk() as talk:
            collected = collect(compose.cell_source(target, talk), store, target.nodes, now)
        spaces = {cell.space for cell in store.rows(0.0, now)}
        arms = tuple(arms_of_plan(plan, spaces))
        if any(not each.empty for each in arms):
            arms = _foreseen(plan, arms, lambda: (c for c in store.rows(0.0, now) if c.bucket + c.seconds <= now))
    except RunbookError as error:
        return (), _told(0, error.message, plan)
    silent = "; ".join(f"{each.node}: {each.reason}" for each in collected.silent)
    return arms, _told(len(spaces), silent, plan, judged=bool(arms))


def _foreseen(plan: RolloutPlan, arms: tuple[StageArms, ...], rows: "Rows") -> tuple[StageArms, ...]:
    from runbook.engine.judging.simulate import foresee  # noqa: PLC0415  # numpy, where there is something to simulate

    decides = {stage.stage: stage.decides for stage in foresee(plan, rows).stages}
    return tuple(replace(each, decides=decides.get(each.stage.name)) for each in arms)


def _told(spaces: int, why_not: str, plan: RolloutPlan, *, judged: bool = True) -> str:
    if not spaces:
        return f"How many spaces each judged stage compares is not known: {why_not or 'no recall was seen yet'}"
    silent = f" (not heard: {why_not})" if why_not else ""
    if not judged:
        return (
            f"Recalls of {spaces} spaces were seen{silent}; the plan has no judged stage that moves spaces by chance."
        )
    about = "" if plan.salt else "; about so many, since the salt is made when it starts"
    return f"Recalls of {spaces} spaces were seen{silent}, which gives each judged stage{about}:"
