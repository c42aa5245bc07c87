"""Every scenario of this folder: readings, settings and concepts of a fleet, and what must be made of them.

A scenario names its issue, `high-formation-rate` where it does not. Series are written as Prometheus's own rule tests
write them: `100+2x10` is 100 and ten more, each 2 above the last; `_` is a moment without a sample. One sample a
second, and one a minute in the history.
"""

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.cli.incident import EXIT_OF
from runbook.cli.issue import known_issues
from runbook.engine.diagnose import judge_node
from runbook.engine.plan import make_plan
from runbook.engine.reading import Reading
from runbook.errors import ExitCode
from runbook.issues import high_formation_rate, memory_leak, poor_recall_quality
from runbook.model.concept import RecentConcept
from runbook.model.finding import Diagnosis
from runbook.model.measurement import (
    Baseline,
    NodeBaseline,
    NodeSamples,
    NodeSettings,
    Sample,
    Series,
    Silence,
    WarmUp,
)
from runbook.model.runbook import Runbook
from runbook.model.settings import Settings
from runbook.model.target import Node
from runbook.report.diagnosis import diagnosis_lines, plan_lines
from runbook.report.lines import shown

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.rglob("*.toml"))
ISSUES = {issue.slug: issue for issue in known_issues()}
METRICS = {
    "formed": "engram_concepts_formed_total",
    "memory": "process_resident_memory_bytes",
    "consolidation": "engram_consolidation_duration_seconds_bucket",
    "start": "process_start_time_seconds",
    "confidence": "engram_recall_confidence",
    "coherence": "engram_concept_coherence",
    "ooms": "engram_oom_restarts_total",
    "collections": "python_gc_collections_total",
    "limit": "engram_memory_limit_bytes",
}
KEYS = {
    "threshold": high_formation_rate.THRESHOLD,
    "sample_rate": high_formation_rate.SAMPLE_RATE,
    "cluster_size": high_formation_rate.CLUSTER_SIZE,
    "concepts": high_formation_rate.CONCEPTS,
    "weight": poor_recall_quality.WEIGHT,
    "blended": poor_recall_quality.BLENDED,
    "cleanup": memory_leak.CLEANUP,
    "cache": memory_leak.CACHE,
}
QUANTITIES = {
    "formed": high_formation_rate.formed.name,
    "consolidation": high_formation_rate.consolidation.name,
    "confidence": poor_recall_quality.confidence.name,
    "coherence": poor_recall_quality.coherence.name,
    "ooms": memory_leak.ooms.name,
    "collections": memory_leak.collections.name,
}
SECOND, MINUTE = 1.0, 60.0
NAME = re.compile(r"(?P<short>[a-z]+)(?P<ending>_[a-z]+)?(?:\.(?P<le>.+)|{(?P<labels>.+)})?")
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


def series(name: str, text: str, step: float) -> Series:
    """`consolidation.0.1` is the bucket up to 0.1 s; `confidence_sum{group=control}` has that label."""
    said = NAME.fullmatch(name)
    assert said, f"not a series: {name!r}"
    pairs = [f"le={said['le']}"] if said["le"] else (said["labels"] or "").split(",")
    labels = tuple(sorted((key, value) for key, _, value in (pair.partition("=") for pair in pairs if pair)))
    found = tuple(Sample(at * step, value) for at, value in enumerate(values(text)) if value is not None)
    return Series(METRICS[said["short"]] + (said["ending"] or ""), labels, found)


def settings(found: dict[str, Any]) -> Settings:
    """Short names as keys."""
    return {KEYS[name]: value for name, value in found.items()}


def samples(name: str, node: dict[str, Any], part: str, step: float) -> NodeSamples | Silence:
    """What the source of metrics would have answered."""
    if "silence" in node:
        return Silence(name, node["silence"])
    if part not in node:
        return Silence(name, f"no {part}", answered=True)
    return NodeSamples(name, tuple(series(each, text, step) for each, text in node[part].items()))


def concepts(name: str, node: dict[str, Any]) -> tuple[RecentConcept, ...] | Silence:
    """Coherence and size of each, the newest first."""
    if "concepts" not in node:
        return Silence(name, node.get("concepts_silence", "they were not read"))
    found = node["concepts"]
    return tuple(RecentConcept(f"c{at}", "s", "2026-01-01T00:00:00Z", *pair[::-1]) for at, pair in enumerate(found))


def known_settings(name: str, node: dict[str, Any]) -> Settings | Silence:
    """What the node would have answered."""
    silent = node.get("settings_silence")
    return Silence(name, silent) if silent else settings(node["settings"])


def baseline(document: dict[str, Any]) -> Baseline | None:
    """None where the scenario has none."""
    nodes = {
        name: NodeBaseline(
            {QUANTITIES[key]: value for key, value in found.items() if key in QUANTITIES},
            settings(found.get("settings", {})),
        )
        for name, found in document.get("baseline", {}).items()
    }
    return Baseline("fleet", datetime(2026, 1, 1, tzinfo=UTC), 10.0, nodes) if nodes else None


def read(document: dict[str, Any]) -> tuple[Reading, NodeSettings]:
    """What the ports would have answered."""
    nodes: dict[str, dict[str, Any]] = document["nodes"]
    known = {name: known_settings(name, node) for name, node in nodes.items()}
    remembers = any("history" in node for node in nodes.values())
    warm_up = document.get("warm_up")
    return Reading(
        {name: samples(name, node, "series", SECOND) for name, node in nodes.items()},
        known,
        baseline(document),
        "test",
        history={name: samples(name, node, "history", MINUTE) for name, node in nodes.items()} if remembers else None,
        concepts={name: concepts(name, node) for name, node in nodes.items()},
        warm_up=None if warm_up is None else WarmUp(timedelta(seconds=warm_up), document["now"]),
        said=document.get("said", {}),
    ), known


def planned(issue: Runbook, diagnosis: Diagnosis, known: NodeSettings, before: Baseline | None) -> dict[str, Any]:
    """Each step's change or reason, by node and short name; and the plan can be told."""
    plan = make_plan(issue, diagnosis, known, before)
    short = {key: name for name, key in KEYS.items()}
    told: dict[str, dict[str, str]] = {node.node: {} for node in diagnosis.nodes}
    for step in plan.steps:
        for change in step.changes:
            told[change.node][short[change.key]] = f"{shown(change.old)} -> {shown(change.new)}"
        for skipped in step.skipped:
            told[skipped.node][short[step.step.do.key]] = skipped.reason
    text = "\n".join(line.text for line in (*diagnosis_lines(issue, diagnosis), *plan_lines(plan)))
    assert all(node.node in text for node in diagnosis.nodes)
    assert "None" not in text
    return told


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: str(path.relative_to(HERE).with_suffix("")))
def test_the_answers_and_the_plan_are_those_of_the_file(path: Path) -> None:
    """Each question on each node, the verdict, the exit code, and each step's change or reason."""
    document = tomllib.loads(path.read_text())
    issue = ISSUES[document.get("issue", "high-formation-rate")]
    reading, known = read(document)
    nodes = tuple(judge_node(issue, Node(name, ""), reading) for name in document["nodes"])
    diagnosis = Diagnosis(issue.slug, "fleet", "test", 10.0, nodes)
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
    assert planned(issue, diagnosis, known, reading.baseline) == document["plan"]


@pytest.mark.parametrize("issue", ISSUES)
def test_there_are_as_many_scenarios_as_were_thought_of(issue: str) -> None:
    """None was lost on the way; each verdict is there for each issue."""
    documents = [tomllib.loads(path.read_text()) for path in SCENARIOS]
    of_issue = [each for each in documents if each.get("issue", "high-formation-rate") == issue]
    assert len(of_issue) >= {"high-formation-rate": 25, "memory-leak": 23, "poor-recall-quality": 18}.get(issue, 8)
    assert {each["present"] for each in of_issue} == {"YES", "NO", "UNKNOWN"}


def test_a_series_is_read_as_prometheus_writes_it() -> None:
    """The notation of promtool's rule tests."""
    assert list(values("1+2x3 7 _x2 -1-1x1")) == [1, 3, 5, 7, 7, None, None, -1, -2]
    assert all(value is not None and math.isnan(value) for value in values("NaN+0x2"))
