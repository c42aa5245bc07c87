"""Every scenario of this folder: readings and settings of a fleet, and what must be made of them.

Series are written as Prometheus's own rule tests write them: `100+2x10` is 100 and ten more, each 2 above the last;
`_` is a moment without a sample. One sample a second.
"""

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.incident import EXIT_OF
from runbook.engine.diagnose import judge_node
from runbook.engine.plan import make_plan
from runbook.engine.reading import Reading
from runbook.errors import ExitCode
from runbook.issues.high_formation_rate import (
    CLUSTER_SIZE,
    CONCEPTS,
    RUNBOOK,
    SAMPLE_RATE,
    THRESHOLD,
    consolidation,
    formed,
)
from runbook.model.finding import Diagnosis
from runbook.model.measurement import (
    Baseline,
    NodeBaseline,
    NodeSamples,
    NodeSettings,
    Sample,
    Samples,
    Series,
    Silence,
)
from runbook.model.settings import Settings
from runbook.model.target import Node
from runbook.report.diagnosis import diagnosis_lines, plan_lines
from runbook.report.lines import shown

SCENARIOS = sorted(Path(__file__).parent.glob("*.toml"))
METRICS = {
    "formed": "engram_concepts_formed_total",
    "memory": "process_resident_memory_bytes",
    "consolidation": "engram_consolidation_duration_seconds_bucket",
    "start": "process_start_time_seconds",
}
KEYS = {"threshold": THRESHOLD, "sample_rate": SAMPLE_RATE, "cluster_size": CLUSTER_SIZE, "concepts": CONCEPTS}
QUANTITIES = {"formed": formed.name, "consolidation": consolidation.name}
PART = re.compile(r"(?P<begin>[^x+]+?)(?:(?P<rise>[+-][0-9.]+)?x(?P<times>[0-9]+))?")


def values(text: str) -> Iterator[float | None]:
    """The samples of one series, None where there is none."""
    for word in text.split():
        part = PART.fullmatch(word)
        assert part, f"not a series: {word!r}"
        times = int(part["times"] or 0)
        if part["begin"] == "_":
            yield from [None] * (times or 1)
        else:
            yield from (float(part["begin"]) + float(part["rise"] or 0) * at for at in range(times + 1))


def series(name: str, text: str) -> Series:
    """`consolidation.0.1` is the bucket up to 0.1 s."""
    short, _, bound = name.partition(".")
    found = tuple(Sample(float(at), value) for at, value in enumerate(values(text)) if value is not None)
    return Series(METRICS[short], (("le", bound),) if bound else (), found)


def settings(found: dict[str, Any]) -> Settings:
    """Short names as keys."""
    return {KEYS[name]: value for name, value in found.items()}


def read(document: dict[str, Any]) -> tuple[Samples, NodeSettings, Baseline | None]:
    """What the ports would have answered."""
    samples: dict[str, NodeSamples | Silence] = {}
    known: dict[str, Settings | Silence] = {}
    for name, node in document["nodes"].items():
        told = tuple(series(*pair) for pair in node.get("series", {}).items())
        samples[name] = Silence(name, node["silence"]) if "silence" in node else NodeSamples(name, told)
        silent = node.get("settings_silence")
        known[name] = Silence(name, silent) if silent else settings(node["settings"])
    nodes = {
        name: NodeBaseline(
            {QUANTITIES[key]: value for key, value in found.items() if key in QUANTITIES},
            settings(found.get("settings", {})),
        )
        for name, found in document.get("baseline", {}).items()
    }
    return samples, known, Baseline("fleet", datetime(2026, 1, 1, tzinfo=UTC), 10.0, nodes) if nodes else None


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_answers_and_the_plan_are_those_of_the_file(path: Path) -> None:
    """Each question on each node, the verdict, the exit code, and each step's change or reason."""
    document = tomllib.loads(path.read_text())
    samples, known, baseline = read(document)
    nodes = tuple(judge_node(RUNBOOK, Node(name, ""), Reading(samples, known, baseline, "test")) for name in document["nodes"])
    diagnosis = Diagnosis(RUNBOOK.slug, "fleet", "test", 10.0, nodes)
    for node in nodes:
        expected = document["expect"][node.node]
        found = [finding.answer.value for finding in (*node.symptoms, *node.checks)]
        arithmetic = [finding.arithmetic for finding in (*node.symptoms, *node.checks)]
        assert found == expected["answers"], arithmetic
        assert node.present.value == expected["present"]
        assert all(arithmetic)
    assert diagnosis.present.value == document["present"]
    code = ExitCode.UNREACHABLE if diagnosis.all_silent else EXIT_OF[diagnosis.present]
    assert code == document["exit"]

    plan = make_plan(RUNBOOK, diagnosis, known, baseline)
    short = {key: name for name, key in KEYS.items()}
    told: dict[str, dict[str, str]] = {name: {} for name in document["nodes"]}
    for step in plan.steps:
        for change in step.changes:
            told[change.node][short[change.key]] = f"{shown(change.old)} -> {shown(change.new)}"
        for skipped in step.skipped:
            told[skipped.node][short[step.step.do.key]] = skipped.reason
    assert told == document["plan"]

    text = "\n".join(line.text for line in (*diagnosis_lines(RUNBOOK, diagnosis), *plan_lines(plan)))
    assert all(name in text for name in document["nodes"])
    assert "None" not in text


def test_there_are_as_many_scenarios_as_were_thought_of() -> None:
    """None was lost on the way."""
    assert len(SCENARIOS) >= 25


def test_a_series_is_read_as_prometheus_writes_it() -> None:
    """The notation of promtool's rule tests."""
    assert list(values("1+2x3 7 _x2 -1-1x1")) == [1, 3, 5, 7, 7, None, None, -1, -2]
    assert all(value is not None and math.isnan(value) for value in values("NaN+0x2"))
