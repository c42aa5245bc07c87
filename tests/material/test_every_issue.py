"""Every known issue: found by walking, and everything that it names is there."""

import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import runbook.issues
from runbook.cli.issue import command_of, issue_of
from runbook.material import playbook
from runbook.model.quantity import AboveBaseline, BelowBaseline, Condition, How, Regained, Settled, quantities_of
from runbook.model.risk import Risk
from runbook.model.runbook import Move, Runbook
from runbook.model.settings import CATALOGUE, Kind, Type, Value, checked
from runbook.sandbox.faults.collection import available
from runbook.sandbox.metrics import Instruments

if TYPE_CHECKING:
    from runbook.model.quantity import Quantity
    from runbook.model.runbook import Check, Step

NAMES = [module.name for module in pkgutil.iter_modules(runbook.issues.__path__)]
ISSUES: dict[str, Runbook] = {name: issue_of(name) for name in NAMES}
DO = {Kind.CONFIG: "set_config", Kind.FEATURE: "set_features"}
UNDO = {Kind.CONFIG: "restore_config", Kind.FEATURE: "restore_features"}
every_issue = pytest.mark.parametrize("name", NAMES)


class EmptyNode:
    """A node with nothing in it, for the names of what it exposes."""

    def sizes(self) -> dict[str, dict[str, int]]:
        return {"default": dict.fromkeys(("episodes", "concepts", "bindings", "orphans"), 0)}

    def resident_bytes(self) -> dict[str, int]:
        return {"process": 0}

    def cached(self) -> tuple[int, int]:
        return 0, 0

    def oom_kills(self) -> int | None:
        return 0

    def memory_limit_bytes(self) -> int | None:
        return 1

    def values(self, kind: Kind) -> dict[str, Value]:
        return {key: setting.default for key, setting in CATALOGUE.items() if setting.kind is kind}


def exposed() -> set[str]:
    """The series that a node of the sandbox shows."""
    instruments = Instruments(EmptyNode())
    instruments.space("default")
    lines = instruments.exposition().decode().splitlines()
    return {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}


def texts(found: object) -> Iterator[str]:
    """Every text anywhere in it."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, tuple):
        for each in found:
            yield from texts(each)
    elif hasattr(found, "__dataclass_fields__"):
        for field in found.__dataclass_fields__:
            yield from texts(getattr(found, field))


def conditions(issue: Runbook) -> list[Condition]:
    """Those of its symptoms and those of its verification."""
    return [symptom.condition for symptom in issue.symptoms] + list(issue.verify.expect)


def test_there_is_an_issue() -> None:
    """The walk finds something."""
    assert "high_formation_rate" in NAMES


@every_issue
def test_its_slug_is_the_name_of_its_file_and_of_its_command(name: str) -> None:
    """One file, one word."""
    assert ISSUES[name].slug == name.replace("_", "-")
    assert command_of(name).name == ISSUES[name].slug


@every_issue
def test_its_steps_are_plays_that_exist_for_settings_that_exist(name: str) -> None:
    """Done and undone by the playbooks of the setting's kind, for the same setting."""
    for step in ISSUES[name].steps:
        kind = CATALOGUE[step.do.key].kind
        assert (step.do.playbook, step.undo.playbook) == (DO[kind], UNDO[kind])
        assert step.do.key == step.undo.key
        assert playbook(step.do.playbook).is_file()
        assert playbook(step.undo.playbook).is_file()


@every_issue
def test_its_values_are_such_that_a_node_takes_them(name: str) -> None:
    """In their own types, in range, and moved in a way that has a meaning for the type."""
    wanted: list[tuple[Step | Check, str, Value]] = [(step, step.do.key, step.value) for step in ISSUES[name].steps]
    wanted += [(check, check.key, check.good) for check in ISSUES[name].checks]
    for each, key, value in wanted:
        taken = checked(CATALOGUE[key], value)
        assert taken == value
        assert type(taken) is type(value)
        ordered = CATALOGUE[key].type in {Type.NUMBER, Type.INTEGER}
        assert ordered or each.move is Move.SET


@every_issue
def test_its_metrics_are_exposed_by_a_node(name: str) -> None:
    """By the very names that it asks for."""
    shown = exposed()
    for quantity in ISSUES[name].quantities:
        assert set(quantity.series) <= shown
        assert quantity.unit
        assert (quantity.quantile is not None) == (quantity.how is How.QUANTILE)


@every_issue
def test_it_can_be_present_and_it_can_be_over(name: str) -> None:
    """A leading symptom, a supporting one, and expectations of quantities that its symptoms ask for."""
    issue = ISSUES[name]
    assert issue.supporting
    asked: set[Quantity] = {each for symptom in issue.symptoms for each in quantities_of(symptom.condition)}
    assert issue.verify.expect
    assert {condition.quantity for condition in issue.verify.expect} <= asked
    assert quantities_of(issue.leading.condition)[0] in {condition.quantity for condition in issue.verify.expect}
    assert 0 < issue.verify.hold <= 1
    assert issue.verify.watch >= timedelta(minutes=1)


@every_issue
def test_its_limits_make_sense(name: str) -> None:
    """An incident is above what is usual, and recovered is not above the incident."""
    for condition in conditions(ISSUES[name]):
        match condition:
            case AboveBaseline():
                assert condition.factor >= 1
                assert condition.floor >= 0
                assert condition.factor > 1 or condition.quantity.how is How.LAST  # a count that may not rise at all
                assert condition.ceiling is None or condition.ceiling > condition.floor
            case Settled():
                assert condition.factor >= 1
                assert condition.floor > 0
            case BelowBaseline():
                assert 0 < condition.factor < 1
    falls = {each.quantity: each for each in conditions(ISSUES[name]) if isinstance(each, BelowBaseline)}
    for condition in ISSUES[name].verify.expect:
        if isinstance(condition, Regained) and condition.quantity in falls:
            assert 1 >= condition.factor >= falls[condition.quantity].factor
            assert condition.bottom >= falls[condition.quantity].bottom
    spikes = {each.quantity: each for each in conditions(ISSUES[name]) if isinstance(each, AboveBaseline)}
    for condition in ISSUES[name].verify.expect:
        if isinstance(condition, Settled) and condition.quantity in spikes:
            spike = spikes[condition.quantity]
            assert condition.factor <= spike.factor
            assert condition.floor <= spike.floor


@every_issue
def test_it_is_rehearsed_with_a_fault_that_the_sandbox_has(name: str) -> None:
    """And its alerts are of no other issue."""
    assert ISSUES[name].drill in available()
    others = {alert for other, issue in ISSUES.items() if other != name for alert in issue.known_alerts}
    assert any(symptom.alert for symptom in ISSUES[name].symptoms)
    assert set(ISSUES[name].explains) <= {issue.slug for issue in ISSUES.values()} - {ISSUES[name].slug}
    assert not others & set(ISSUES[name].known_alerts)


@every_issue
def test_its_evidence_is_a_play_and_its_breakdown_a_metric_of_a_node(name: str) -> None:
    """By the names of the playbooks and of the node."""
    issue = ISSUES[name]
    if issue.evidence is not None:
        assert playbook(issue.evidence.playbook).is_file()
    if issue.breakdown is not None:
        assert issue.breakdown.metric in exposed()
    if issue.review is not None:
        assert {issue.review.coherence_key, issue.review.size_key} <= set(CATALOGUE)


@every_issue
def test_its_emergency_steps_are_the_disruptive_ones_and_come_last(name: str) -> None:
    """What is undone last step first was taken first step first."""
    steps = ISSUES[name].steps
    assert steps
    assert [step.emergency for step in steps] == sorted(step.emergency for step in steps)
    assert all(step.emergency == (step.risk is Risk.DISRUPTIVE) for step in steps)


@every_issue
def test_no_two_steps_touch_the_same_setting(name: str) -> None:
    """An undo of one would run into the other."""
    keys = [step.do.key for step in ISSUES[name].steps]
    assert len(keys) == len(set(keys))


@every_issue
def test_every_text_can_be_printed_anywhere(name: str) -> None:
    """Plain ASCII on one line, so that it passes any terminal, pipe and locale."""
    found = list(texts(ISSUES[name]))
    assert len(found) > 20
    assert all(text.isascii() and text.isprintable() for text in found)
    titles = [symptom.title for symptom in ISSUES[name].symptoms]
    titles += [check.title for check in ISSUES[name].checks] + [step.title for step in ISSUES[name].steps]
    assert all(titles)
    assert len(titles) == len(set(titles))
    assert ISSUES[name].escalate
