"""What a rollout's entries hold, as they are written; `state` folds them. Each entry's run is the rollout's id. Pure.

The run that sets a stage's values, and the brake's run, have ids of their own: they are in the details, under `run`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from runbook.model.rollout import Stage, Standing


def started(target: str, environment: str, plan: Mapping[str, Any], digest: str, reason: str) -> dict[str, Any]:
    """`rollout.started`: the plan as its document, salt included, and the digest of that."""
    told = {"target": target, "environment": environment, "reason": reason}
    return told | {"plan": dict(plan), "digest": digest}


def entering(stage: Stage, run: str) -> dict[str, Any]:
    """`rollout.entering`: this run is about to set the stage's values."""
    return _stage(stage) | {"run": run}


def entered(stage: Stage, run: str, spaces: Sequence[str] = ()) -> dict[str, Any]:
    """`rollout.entered`: the values were read back on every node. `spaces` are treated whatever their hash."""
    return _stage(stage) | {"run": run, "spaces": list(spaces)}


def held(stage: Stage, why: str) -> dict[str, Any]:
    """`rollout.held`; where an entering came to nothing too: then the stage is the one that it is back in."""
    return _stage(stage) | {"why": why}


def judged(stage: Stage, look: int, judgement: Mapping[str, Any]) -> dict[str, Any]:
    """`rollout.judged`: the planned look of that number (from 1) was taken, so its alpha is spent."""
    return _stage(stage) | {"look": look, "judgement": dict(judgement)}


def checked(stage: Stage, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`rollout.checked`: every trigger and the tripwire: `title`, `answer`, `arithmetic`, `node`."""
    return _stage(stage) | {"answers": [dict(answer) for answer in answers]}


def reverting(stage: Stage, run: str, standing: Standing, why: str) -> dict[str, Any]:
    """`rollout.reverting`: the brake is about to be pulled, as this run; `standing` is how the rollout ends then."""
    return _stage(stage) | {"run": run, "standing": standing.value, "why": why}


def ended(stage: Stage, standing: Standing, why: str, exit_code: int = 0) -> dict[str, Any]:
    """`rollout.ended`: completed, aborted or rolled back."""
    return _stage(stage) | {"standing": standing.value, "why": why, "exit_code": exit_code}


def evidence(folder: str, digest: str, why: str) -> dict[str, Any]:
    """`evidence.written`, for a rollout."""
    return {"folder": folder, "digest": digest, "why": why}


def _stage(stage: Stage) -> dict[str, Any]:
    return {"stage": stage.number, "name": stage.name}
