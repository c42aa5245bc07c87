"""The plan that was asked for: one of those that come with the tool, by name, or a file."""

import pkgutil
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

import runbook.rollouts
from runbook.errors import RefusedError, RunbookError, UsageError
from runbook.model.rollout import RolloutPlan


def known_plans() -> tuple[str, ...]:
    """The names of the plans that come with the tool: one file of `rollouts/` each."""
    return tuple(module.name.replace("_", "-") for module in pkgutil.iter_modules(runbook.rollouts.__path__))


def plan_named(name: str) -> RolloutPlan:
    """The plan in the file of that name in `rollouts/`."""
    found: RolloutPlan = import_module(f"runbook.rollouts.{name.replace('-', '_')}").PLAN
    return found


def chosen(plan: str) -> RolloutPlan:
    """The plan of that name, else the one in that file.

    Raises:
        UsageError: there is neither.
        DamagedError: the file is no plan; line and place are named.
        NotSupportedError, StorageError: as `read_plan`.
    """
    if plan in known_plans():
        return plan_named(plan)
    from runbook.adapters.rollout_plans import read_plan

    path = Path(plan)
    if path.suffix or "/" in plan or path.exists():
        return read_plan(path)
    close = get_close_matches(plan, known_plans(), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"there is neither a plan nor a file {plan!r}", hint=f"{hint}known: {', '.join(known_plans())}")


def several(plans: Iterable[RolloutPlan]) -> dict[str, RolloutPlan]:
    """Each by its name. Two that differ in the spaces that they name, and in nothing else, are the same.

    Raises:
        UsageError: two that differ otherwise have one name.
    """
    found: dict[str, RolloutPlan] = {}
    for plan in plans:
        if _unnamed(found.setdefault(plan.name, plan)) != _unnamed(plan):
            raise UsageError(f"two plans that differ are named {plan.name!r}", hint="give one of them another name")
    return found


def _unnamed(plan: RolloutPlan) -> RolloutPlan:
    return replace(plan, phases=tuple(replace(phase, spaces=()) for phase in plan.phases))


def check_kept(plan: RolloutPlan) -> None:
    """Does the journal keep every text of the plan as it is? What is approved, judged and proven is what it keeps.

    Raises:
        RefusedError: it would mask one, since it looks like a secret.
    """
    from runbook.adapters.journal.redaction import MASK, clean
    from runbook.engine.rollout.plan.document import details_of

    details = details_of(plan)
    if clean(details) != details or MASK in str(details):
        raise RefusedError(
            f"a text of plan {plan.name} looks like a secret, and the journal would mask it",
            hint="take tokens, passwords and addresses with a user out of the plan's texts",
        )


def complete_plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell offers: the plans by name, and YAML files."""
    del ctx, param
    folder, _, begin = incomplete.rpartition("/")
    try:
        files = sorted(Path(folder or ".").iterdir()) if folder or not incomplete.startswith("/") else []
    except OSError:
        files = []
    prefix = f"{folder}/" if folder else ""
    fitting = [
        f"{prefix}{each.name}" for each in files if each.suffix in {".yml", ".yaml"} and each.name.startswith(begin)
    ]
    return [name for name in known_plans() if name.startswith(incomplete)] + fitting


def complete_phases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell offers: the phases of the target's rollout, else of the built-in plan."""
    del param
    from runbook.cli import compose
    from runbook.cli.rollout.where import going

    config = ctx.params.get("config")
    try:
        current = compose.session()
        plan = going(
            current, compose.target_name(current, ctx.params.get("target"), Path(config) if config else None)
        ).plan
    except RunbookError:
        plan = plan_named(known_plans()[0])
    return [phase.name for phase in plan.phases if phase.name.startswith(incomplete)]
