"""What a rollout taught, by the journal alone: stages and how long they lasted, each setting changed and what was said.

Pure. Everything is between the rollout's first entry and its last (or the journal's end while it is under way).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.engine.journal_time import ages
from runbook.engine.setting_history import changes_of
from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Entered, Rollout
from runbook.model.setting_change import SettingChange


@dataclass(frozen=True, slots=True)
class Saying:
    """What judge or validator said at one moment; `seq` is its entry."""

    seq: int
    at: datetime
    by: str
    verdict: str
    why: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Lasted:
    """One stage as it was walked: since when, for how long, and the last that was said of it."""

    entered: Entered
    name: str
    share: float
    length: timedelta
    said: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class Tuned:
    """One setting that was changed the same way on some nodes, in one run; and what was said before and after."""

    change: SettingChange
    nodes: tuple[str, ...]
    stage: str
    before: Saying | None
    after: Saying | None


@dataclass(frozen=True, slots=True)
class Passed:
    """One gate that was passed on the way into a stage, or (`into` empty) to the rollout's end; and its sum then."""

    into: str
    gate: str
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Learnings:
    """All of it. `length` is how long the whole rollout took so far."""

    rollout: Rollout
    length: timedelta
    stages: tuple[Lasted, ...]
    tuned: tuple[Tuned, ...]
    said: tuple[Saying, ...]
    passed: tuple[Passed, ...] = ()


def learnings_of(rollout: Rollout, entries: Sequence[Entry], now: datetime) -> Learnings:
    """What the entries tell of that rollout.

    Raises:
        DamagedError: the journal holds a plan that cannot be read.
    """
    age = ages(entries, now)
    meant = [original(entry) for entry in entries]
    last = next((each.seq for each in meant if _ends(each, rollout)), None)
    own = [each for each in meant if each.seq >= rollout.seq and (last is None or each.seq <= last)]
    said = tuple(_sayings(own, rollout))
    ended = age[last] if last is not None else timedelta(0)
    stages = tuple(_stages(rollout, said, age, ended))
    tuned, passed = tuple(_tuned(rollout, own, entries, said)), tuple(_passed(own, rollout))
    return Learnings(rollout, age[rollout.seq] - ended, stages, tuned, said, passed)


def _passed(entries: Iterable[Entry], rollout: Rollout) -> Iterator[Passed]:
    for entry in entries:
        gates = entry.details.get("gates")
        if entry.run == rollout.id and isinstance(gates, list):
            into = str(entry.details.get("name", "")) if entry.event is Event.ROLLOUT_ENTERING else ""
            yield from (Passed(into, str(each.get("name", "?")), str(each.get("arithmetic", ""))) for each in gates)


def _ends(entry: Entry, rollout: Rollout) -> bool:
    return entry.event is Event.ROLLOUT_ENDED and entry.run == rollout.id


def _sayings(entries: Iterable[Entry], rollout: Rollout) -> Iterator[Saying]:
    for entry in entries:
        told = entry.details
        if entry.event is Event.ROLLOUT_JUDGED and entry.run == rollout.id:
            by = f"judge, look {told.get('look', '?')}"
            name = str(told.get("name", ""))
            yield Saying(entry.seq, entry.at, by, str(told.get("verdict", "?")), str(told.get("why", "")), name)
        elif entry.event is Event.VALIDATED and told.get("target") == rollout.target:
            because = str(told.get("because", ""))
            yield Saying(entry.seq, entry.at, "validator", str(told.get("recommendation", "?")), because)


def _stages(
    rollout: Rollout, said: Sequence[Saying], age: Mapping[int, timedelta], ended: timedelta
) -> Iterator[Lasted]:
    """Each entering; from one to the next, and the last one to the end."""
    walk = rollout.entered
    for index, entered in enumerate(walk):
        behind = walk[index + 1].seq if index + 1 < len(walk) else None
        until = age[behind] if behind is not None else ended
        stage = rollout.plan.stages[entered.stage]
        own = [each for each in said if each.seq > entered.seq and (behind is None or each.seq < behind)]
        yield Lasted(entered, stage.name, stage.share, age[entered.seq] - until, tuple(own))


def _tuned(rollout: Rollout, own: Sequence[Entry], entries: Sequence[Entry], said: Sequence[Saying]) -> Iterator[Tuned]:
    """Each change of a setting once for all nodes that took it, in the order of the journal."""
    first = {entry.run: entry.seq for entry in reversed(own) if entry.run}
    found: dict[tuple[object, ...], list[SettingChange]] = {}
    for change in changes_of(entries, rollout.target):
        if change.run in first:
            key = (change.run, change.key, change.old, change.new, change.put_back, change.in_doubt)
            found.setdefault(key, []).append(change)
    for changes in found.values():
        at = first[changes[0].run]
        before = next((each for each in reversed(said) if each.seq < at), None)
        after = next((each for each in said if each.seq > at), None)
        stage = _stage_at(rollout, changes[0].run, at)
        yield Tuned(changes[0], tuple(each.node for each in changes), stage, before, after)


def _stage_at(rollout: Rollout, run: str, seq: int) -> str:
    """The stage that it was in then; or that this run was entering."""
    stages = rollout.plan.stages
    into = next((stages[each.stage].name for each in rollout.entered if each.run == run), None)
    if into is not None:
        return f"entering {into}"
    inside = [each for each in rollout.entered if each.seq <= seq]
    return stages[inside[-1].stage].name if inside else "before the first stage"
