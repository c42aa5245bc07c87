"""What a rollout's entries hold, as they are written; `state` folds them. Each entry's run is the rollout's id. Pure.

The run that sets a stage's values, and the brake's run, have ids of their own: they are in the details, under `run`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from runbook.engine.rollout.basis import Basis
from runbook.model.gate import Gate
from runbook.model.judgement import Judgement
from runbook.model.rollout import Stage, Standing
from runbook.model.target import Node


def started(target: str, environment: str, plan: Mapping[str, Any], digest: str, reason: str) -> dict[str, Any]:
    """`rollout.started`: the plan as its document, salt included, and the digest of that."""
    told = {"target": target, "environment": environment, "reason": reason}
    return told | {"plan": dict(plan), "digest": digest}


def entering(stage: Stage, run: str, backups: Sequence[str] = (), gates: Sequence[Gate] = ()) -> dict[str, Any]:
    """`rollout.entering`: this run is about to set the stage's values; `backups` were found fresh, `gates` passed."""
    return _stage(stage) | {"run": run} | ({"backups": list(backups)} if backups else {}) | passed(gates)


def passed(gates: Sequence[Gate]) -> dict[str, Any]:
    """The gates by which a stage was left, with their sums; nothing where none was asked."""
    told = [{"name": each.name, "answer": each.answer.value, "arithmetic": each.arithmetic} for each in gates]
    return {"gates": told} if told else {}


def split_by(splitters: Sequence[Node]) -> dict[str, Any]:
    """Part of `rollout.entering`: what is told to split the traffic, by name; nothing where the nodes do it."""
    return {"splitters": [each.name for each in splitters]} if splitters else {}


def entered(stage: Stage, run: str) -> dict[str, Any]:
    """`rollout.entered`: the values were read back on every node."""
    return _stage(stage) | {"run": run}


def held(stage: Stage, why: str, by: str) -> dict[str, Any]:
    """`rollout.held`, by a person or by what went wrong.

    Where the entering of a stage came to nothing and was put back, `stage` is the one before: it goes on.
    """
    return _stage(stage) | {"why": why, "by": by}


def approved(digest: str, phase: str | None, reason: str) -> dict[str, Any]:
    """`rollout.approved`: a person's yes to that very plan as a whole (`phase` None), or to one of its phases."""
    return {"digest": digest, "phase": phase, "reason": reason}


def noted(stage: Stage, complaints: int | None, text: str) -> dict[str, Any]:
    """`rollout.noted`: how many complaints there are since the stage began, in all, or None; and a remark."""
    return _stage(stage) | {"complaints": complaints, "text": text}


def released(stage: Stage, reason: str, splitters: Sequence[str] | None = None) -> dict[str, Any]:
    """`rollout.released`: it may go on; with these splitters, where any has to do with it: they are agreed to."""
    return _stage(stage) | {"reason": reason} | ({} if splitters is None else {"splitters": list(splitters)})


def checked(stage: Stage, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`rollout.checked`: triggers and tripwire, each with `title`, `answer`, `arithmetic`."""
    return _stage(stage) | {"answers": [dict(answer) for answer in answers]}


def judged(stage: Stage, look: int, judgement: Judgement, basis: Basis) -> dict[str, Any]:
    """`rollout.judged`: the planned look of that number (from 1) was taken, so its alpha is spent.

    `basis` is what it was taken of: evidence comes to the same judgement by it.
    """
    told = {"look": look, "verdict": judgement.verdict.value, "why": judgement.why, "basis": basis.details}
    return _stage(stage) | told | {"judgement": judgement_details(judgement)}


def judgement_details(judgement: Judgement) -> dict[str, Any]:
    """The judgement as JSON, complete; an end that is infinite, and what is no number, is null."""
    details: dict[str, Any] = _plain(asdict(judgement))
    return details


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def reverting(stage: Stage, run: str, by: str, ends_as: Standing, why: str) -> dict[str, Any]:
    """`rollout.reverting`: the brake is about to be pulled, as this run."""
    return _stage(stage) | {"run": run, "by": by, "ends_as": ends_as.value, "why": why}


def ended(stage: Stage, standing: Standing, why: str, exit_code: int = 0) -> dict[str, Any]:
    """`rollout.ended`: completed, aborted or rolled back."""
    return _stage(stage) | {"standing": standing.value, "why": why, "exit_code": exit_code}


def _stage(stage: Stage) -> dict[str, Any]:
    return {"stage": stage.number, "name": stage.name}
