"""Carry out `runbook abtest assign`: the group of spaces, now and to come. Nodes are asked where nothing else tells."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose
from runbook.cli.screen import show, show_json
from runbook.engine.judging.assigned import Regime, assigned, never, regime_of, regimes, split_by
from runbook.engine.rollout.state import current_of
from runbook.errors import ExitCode, UsageError
from runbook.model.assignment import NAMES_SPLIT
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.rollout import Rollout, RolloutPlan
from runbook.report.assignment import assignment_data, assignment_lines
from runbook.report.document import envelope
from runbook.report.lines import Style, line

_LONGEST = 1 << 20  # characters of a list on stdin
_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    target: str | None
    config: Path | None
    salt: str | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Known:
    """With what is computed, where it comes from, and what is to be said of it; `split` where splitters decide."""

    salt: str
    source: str
    plan: RolloutPlan
    now: Regime | None
    told: tuple[str, ...] = ()
    code: ExitCode = ExitCode.DONE
    split: bool = False


def assign(words: Sequence[str], wishes: Wishes) -> ExitCode:
    """Print the assignment. COULD_NOT_TELL where the nodes do not agree on one, PARTIAL where one was silent.

    Raises:
        UsageError: no space was named; or no target, and no salt.
        UnreachableError, NotSupportedError: no node tells its settings.
    """
    spaces = named_spaces(words)
    known = _known(wishes)
    found = [assigned(space, known.salt, known.plan.stages, known.now) for space in spaces]
    told = list(known.told)
    if known.split and (odd := {space for space in spaces if not NAMES_SPLIT.fullmatch(space)}):
        found = [never(each) if each.space in odd else each for each in found]
        told.append(
            "A splitter tells names of 1 to 128 letters, digits, _, . and - apart; any other one is control there."
        )
    if wishes.as_json:
        data = assignment_data(found, known.salt, known.source, known.plan.name) | {"told": told}
        show_json(envelope("assignment", "runbook abtest assign", known.code, data))
    else:
        show(assignment_lines(found, known.salt, known.source, known.plan.name))
        show(line(each, Style.UNSURE) for each in told)
    return known.code


def named_spaces(words: Sequence[str]) -> list[str]:
    """The spaces of the command line; `-` stands for those on stdin, one a line.

    Raises:
        UsageError: there is none, stdin is too long, or one is no text.
    """
    spaces: list[str] = []
    for word in words:
        spaces += _lines_of_stdin() if word == _STDIN else [word]
    for space in spaces:
        if not space or not _is_text(space):
            raise UsageError(f"{space!r} cannot be the name of a space", hint="UTF-8 text that is not empty")
    if not spaces:
        raise UsageError("no space was named", hint="give names, or - for one a line on stdin")
    return list(dict.fromkeys(spaces))


def _lines_of_stdin() -> list[str]:
    text = sys.stdin.read(_LONGEST + 1)
    if len(text) > _LONGEST:
        raise UsageError(f"stdin is longer than {_LONGEST} characters", hint="ask for fewer spaces at a time")
    return [each for each in map(str.strip, text.splitlines()) if each]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _known(wishes: Wishes) -> Known:
    from runbook.rollouts.dual_memory import PLAN  # noqa: PLC0415  # the plan is built when it is read

    if wishes.salt is not None:
        return Known(wishes.salt, "--salt", PLAN, None)
    current = compose.session()
    name = compose.target_name(current, wishes.target, wishes.config)
    rollout = current_of([*current.journal.entries(), *current.journal.waiting()], name)
    if rollout is not None:
        return _of_rollout(rollout)
    return _of_nodes(wishes, PLAN)


def _of_rollout(rollout: Rollout) -> Known:
    now = regime_of(rollout)
    told = () if now is not None else ("No stage of the rollout is entered yet: what the nodes do now is not asked.",)
    source, split = f"rollout {rollout.id}", bool(rollout.splitters)
    return Known(rollout.plan.salt, source, rollout.plan, now, told, split=split)


def _of_nodes(wishes: Wishes, plan: RolloutPlan) -> Known:
    from runbook.cli.settings import read_settings  # noqa: PLC0415  # not for those who only compute

    target = compose.target_of(compose.session(), wishes.target, wishes.config)
    settings = read_settings(target, target.hosts)
    who, where = "nodes", "runbook config drift"
    if target.splitters:
        nodes, splits = (
            {each.name: settings[each.name] for each in hosts} for hosts in (target.nodes, target.splitters)
        )
        settings, who, where = split_by(splits, nodes), "splitters", "runbook nodes"
    found = regimes(settings)
    told = tuple(_silences(settings))
    if len({regime.salt for regime in found.values()}) != 1:
        each = ", ".join(f"{name}: {regime.salt!r}" for name, regime in found.items()) or "none tells its own"
        raise UsageError(f"the {who} of {target.name} have no salt in common ({each})", hint="say one with --salt")
    regime = next(iter(found.values()))
    if len(set(found.values())) > 1:
        told += (f"The {who} do not agree on share and named spaces ({where}): the group now is not known.",)
        return Known(regime.salt, f"the {who}", plan, None, told, ExitCode.COULD_NOT_TELL, bool(target.splitters))
    code = ExitCode.PARTIAL if told else ExitCode.DONE
    return Known(regime.salt, f"the {who}", plan, regime, told, code, bool(target.splitters))


def _silences(settings: NodeSettings) -> list[str]:
    return [f"{each.node} could not be asked: {each.reason}" for each in settings.values() if isinstance(each, Silence)]
