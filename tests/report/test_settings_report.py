"""Settings as lines: agreement in one line, disagreement marked, history by run, drift with what it was measured by."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime

from runbook.engine.drift import Drift, DriftReport, Measure
from runbook.model.measurement import Silence
from runbook.model.setting_change import SettingChange
from runbook.report.settings import correction_lines, drift_lines, history_lines, values_lines

CONCEPTS = "dual_memory.enable_concepts"
ON, OFF = True, False
AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
CHANGE = SettingChange(AT, "anna@bastion", "run-1", "flags set", "prod", "a", CONCEPTS, old=True, new=False)


def test_nodes_that_agree_take_one_line() -> None:
    """Those that do not are marked, the commonest value first; who does not tell, or answer, is named."""
    settings = {"a": {CONCEPTS: True, "k": 1}, "b": {CONCEPTS: False, "k": 1}, "c": {CONCEPTS: False}}
    assert [line.text for line in values_lines(settings | {"d": Silence("d", "refused")}, [CONCEPTS, "k", "x"])] == [
        "dual_memory.enable_concepts  DISAGREE  false  (b, c)",
        "                             DISAGREE  true  (a)",
        "k                            1  (a, b)",
        "                             not told  (c)",
        "x                            not told",
        "d could not be asked: refused",
    ]


def test_a_history_is_told_run_by_run() -> None:
    """Nodes that were changed alike stand together; what was put back, and what is in doubt, is said."""
    changes = [
        CHANGE,
        replace(CHANGE, node="b"),
        replace(CHANGE, node="b", old=False, new=True, put_back=True),
        replace(CHANGE, run="run-2", reason="page 4711", in_doubt=True),
    ]
    assert [line.text for line in history_lines(changes)] == [
        "run-1  flags set  anna@bastion",
        "  2026-11-23 14:05:00  dual_memory.enable_concepts  a, b: true -> false",
        "  2026-11-23 14:05:00  dual_memory.enable_concepts  b: false -> true, put back",
        "run-2  flags set  anna@bastion",
        "  reason: page 4711",
        (
            "  2026-11-23 14:05:00  dual_memory.enable_concepts  a: true -> false, "
            "in doubt: it is not known whether it took effect"
        ),
    ]


def test_a_drift_says_what_it_was_measured_by_and_how_to_put_it_back() -> None:
    """What only differs from its peers is not put back blindly: nobody ever said which one is right."""
    report = DriftReport(
        (
            Drift("a", CONCEPTS, ON, OFF, Measure.LAST_SET, CHANGE),
            Drift("b", CONCEPTS, ON, OFF, Measure.BASELINE),
            Drift("c", "k", 1, 2, Measure.PEERS),
        ),
        (),
        (Silence("d", "refused"),),
    )
    assert [line.text for line in drift_lines(report)] == [
        (
            "DRIFT   a: dual_memory.enable_concepts is true, last set to false by anna@bastion at 2026-11-23 14:05:00 "
            "(run run-1)"
        ),
        "DRIFT   b: dual_memory.enable_concepts is true, the baseline has false",
        "DRIFT   c: k is 1, its peers have 2",
        "d could not be asked: refused",
    ]
    assert [line.text for line in correction_lines("flags", "prod", report, reason=False)][1:] == [
        "To put them back:",
        "  runbook flags set dual_memory.enable_concepts false --target prod --node a --node b",
    ]
    assert not list(correction_lines("flags", "prod", DriftReport((), (), ()), reason=True))
    assert [line.text for line in drift_lines(DriftReport((), (), ()))] == ["Nothing has drifted."]


def test_a_command_to_copy_is_one_that_a_shell_takes() -> None:
    """Texts are quoted, an empty list is an empty word, a number has all its digits; the reason has its place."""
    drifts = (
        Drift("a", "dual_memory.treatment_salt", "x", "it's $HOME", Measure.BASELINE),
        Drift("a", "dual_memory.treatment_spaces", ("s",), (), Measure.BASELINE),
        Drift("a", "dual_memory.coherence_threshold", 0.5, 0.6512345678, Measure.BASELINE),
    )
    told = [each.text for each in correction_lines("config", "prod", DriftReport(drifts, (), ()), reason=True)][2:]
    assert [shlex.split(text)[4] for text in told] == ["it's $HOME", "", "0.6512345678"]
    assert all(text.endswith('--target prod --node a --reason "..."') for text in told)
