"""Where a fleet is not as it was left: it differs from what was last set, or its nodes differ among themselves."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runbook.engine.setting_history import Intended
from runbook.model.measurement import Baseline, NodeSettings, Silence
from runbook.model.setting_change import SettingChange
from runbook.model.settings import Settings, Value, same


class Measure(StrEnum):
    """What a value was compared with."""

    LAST_SET = "last set"
    BASELINE = "baseline"
    PEERS = "peers"


@dataclass(frozen=True, slots=True)
class Drift:
    """A setting of a node that is not as it should be; `change` is what last set it, where that is known."""

    node: str
    key: str
    value: Value
    expected: Value
    measure: Measure
    change: SettingChange | None = None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What differs, what differs as it was set, and what could not be told."""

    drifts: tuple[Drift, ...]
    as_set: tuple[Drift, ...]
    silent: tuple[Silence, ...]


def compare(settings: NodeSettings, keys: Sequence[str], intended: Intended, baseline: Baseline | None) -> DriftReport:
    """Every answering node's values against what the journal last set; else the baseline; else what most peers have.

    A node whose own last change explains why it differs from its peers has not drifted: it is told apart.
    """
    answering = {name: known for name, known in settings.items() if not isinstance(known, Silence)}
    silent = [known for known in settings.values() if isinstance(known, Silence)]
    silent += _untold(answering, keys, intended)
    drifts: list[Drift] = []
    as_set: list[Drift] = []
    for key in keys:
        values = {name: known[key] for name, known in answering.items() if key in known}
        from_own = list(_from_own(values, key, intended, baseline))
        drifts += from_own
        told = {drift.node for drift in from_own}
        for drift in _from_peers(values, key):
            if drift.node in told:
                continue
            change = intended.get((drift.node, key))
            expected = change is not None or (baseline is not None and baseline.setting(drift.node, key) is not None)
            (as_set if expected else drifts).append(
                Drift(drift.node, key, drift.value, drift.expected, Measure.PEERS, change)
            )
    return DriftReport(tuple(drifts), tuple(as_set), tuple(silent))


def _from_own(values: Mapping[str, Value], key: str, intended: Intended, baseline: Baseline | None) -> Iterator[Drift]:
    for node, value in values.items():
        change = intended.get((node, key))
        if change is not None:
            either = (change.new, change.old) if change.in_doubt else (change.new,)
            if not any(same(value, each) for each in either):
                yield Drift(node, key, value, change.new, Measure.LAST_SET, change)
        elif baseline is not None:
            recorded = baseline.nodes[node].settings.get(key) if node in baseline.nodes else None
            if recorded is not None and not same(value, recorded):
                yield Drift(node, key, value, recorded, Measure.BASELINE)


def _from_peers(values: Mapping[str, Value], key: str) -> Iterator[Drift]:
    """The nodes that do not have what most have; where no value has most, those without the commonest one."""
    if len(values) < 2:  # noqa: PLR2004 - a peer takes two
        return
    counts = Counter(_representative(value, list(values.values())) for value in values.values())
    usual, _ = counts.most_common(1)[0]
    for node, value in values.items():
        if not same(value, usual):
            yield Drift(node, key, value, usual, Measure.PEERS)


def _representative(value: Value, among: Sequence[Value]) -> Value:
    """The first of the values that is the same one: numbers may differ in their last digits."""
    return next(each for each in among if same(each, value))


def _untold(answering: Mapping[str, Settings], keys: Sequence[str], intended: Intended) -> Iterator[Silence]:
    """A node that answers, and does not tell a setting that was once set there."""
    for node, known in answering.items():
        for key in keys:
            if key not in known and (node, key) in intended:
                yield Silence(node, f"it does not tell {key}")
