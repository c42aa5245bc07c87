"""All issues on one reading: what is read, how often, and for how long."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fleet_in_memory import World, world

from runbook.adapters.memory.probes import MemoryProbes
from runbook.cli.issue import known_issues
from runbook.engine.diagnose import diagnose, survey
from runbook.engine.measure import Span
from runbook.issues import high_formation_rate, memory_leak, poor_recall_quality
from runbook.model.answer import Answer
from runbook.model.concept import RecentConcept
from runbook.model.finding import Diagnosis
from runbook.model.measurement import Baseline, NodeBaseline, NodeSamples, Sample, Samples, Series, Silence
from runbook.model.runbook import Runbook
from runbook.model.settings import defaults
from runbook.model.target import Node

ISSUES = known_issues()
USUAL, LONGEST = timedelta(seconds=2), timedelta(seconds=60)
LABELS, CONTROL = (("group", "treatment"),), (("group", "control"),)
MEMORY, CONFIDENCE = "process_resident_memory_bytes", "engram_recall_confidence"


def recalls(labels: tuple[tuple[str, str], ...], at: float, mean: float = 0.7) -> dict[Any, float]:
    """What a group that recalls ten times a second with that confidence shows."""
    buckets = {f"{mean - 0.15:g}": 0.0, f"{mean + 0.15:g}": 10.0 * at, "+Inf": 10.0 * at}
    return {
        (f"{CONFIDENCE}_sum", labels): 10.0 * mean * at,
        (f"{CONFIDENCE}_count", labels): 10.0 * at,
        **{(f"{CONFIDENCE}_bucket", (*labels, ("le", le))): count for le, count in buckets.items()},
    }


def showing(scene: World, memory: Callable[[float], float], more: Callable[[float], Any] = lambda _: {}) -> None:
    """Nodes that recall with a confidence of 0.7, whose memory is that function of time, and what else they show."""

    def expose(name: str, at: float) -> Any:
        if name in scene.fleet.dead:
            return Silence(name, scene.fleet.dead[name])
        return recalls(LABELS, at) | {
            ("engram_concepts_formed_total", ()): at,
            (MEMORY, ()): memory(at),
            ("process_start_time_seconds", ()): 1000.0,
            **more(at),
        }

    probes = MemoryProbes(scene.ports.read.clock, expose)
    wired = replace(scene.ports.read, probes=Counted(probes, scene))
    scene.with_(read=wired)
    for settings in scene.fleet.settings.values():
        settings.update(defaults())


class Counted:
    """Probes whose calls the wire counts."""

    def __init__(self, inner: MemoryProbes, scene: World) -> None:
        self.inner, self.scene = inner, scene
        self.source, self.looks_back, self.usual_window = inner.source, False, inner.usual_window

    def observe(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        self.scene.wire.passed("probes.observe")
        self.inner.observe(nodes, names)

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        return self.inner.samples(nodes, names, window)


def calm(_: float) -> float:
    """Memory as it should be."""
    return 1e9


def well(scene: World, confidence: float) -> Baseline:
    """When every node's recalls had that confidence."""
    found = NodeBaseline({poor_recall_quality.confidence.name: confidence}, defaults())
    return Baseline("fleet", datetime(2025, 1, 1, tzinfo=UTC), 10.0, dict.fromkeys(scene.fleet.settings, found))


def looked(
    scene: World, issues: Sequence[Runbook] = ISSUES, baseline: Baseline | None = None, **said: int
) -> dict[str, Diagnosis]:
    """The diagnosis of each issue."""
    span = Span(USUAL, LONGEST)
    found, _ = survey(issues, scene.target, scene.ports.read, baseline, span, said)
    return {each.issue: each for each in found}


def test_everything_is_read_once_however_many_issues_ask() -> None:
    """As often as for one of them; the settings and the concepts too."""
    counts = []
    for issues in ((memory_leak.RUNBOOK,), ISSUES):
        scene = world(("a", "b"))
        showing(scene, calm)
        found = looked(scene, issues, well(scene, 0.7))
        assert list(found) == [each.slug for each in issues]
        counts.append(scene.wire.calls.count("probes.observe"))
        assert scene.wire.calls.count("nodes.settings") == 1
    assert scene.wire.calls.count("nodes.concepts") == 1
    assert counts[0] == counts[1] >= 10


def test_one_issue_is_answered_as_among_all() -> None:
    """Asking for more changes no answer."""
    scene = world(("a", "b"))
    showing(scene, lambda at: 1e9 + 1e6 * at)
    among = looked(scene)["memory-leak"]
    alone, settings = diagnose(memory_leak.RUNBOOK, scene.target, scene.ports.read, None, USUAL)
    assert set(settings) == {"a", "b"}
    assert [node.present for node in alone.nodes] == [node.present for node in among.nodes] == [Answer.YES] * 2
    assert among.present is Answer.YES


def test_what_is_settled_is_not_looked_at_any_longer() -> None:
    """The usual window is enough where nothing is there, and where something is for certain."""
    for memory in (calm, lambda at: 1e9 + 1e6 * at):
        scene = world(("a",))
        showing(scene, memory)
        found = looked(scene, baseline=well(scene, 0.7))
        assert found["memory-leak"].window_seconds == pytest.approx(USUAL.total_seconds(), abs=0.3)


def test_a_missing_baseline_is_not_waited_for() -> None:
    """Longer looks do not bring it; the answer is UNKNOWN at once."""
    scene = world(("a",))
    showing(scene, calm)
    found = looked(scene)["poor-recall-quality"]
    assert found.nodes[0].symptoms[0].answer is Answer.UNKNOWN
    assert found.window_seconds == pytest.approx(USUAL.total_seconds(), abs=0.3)


def noisy(at: float) -> float:
    """Up and down by half a megabyte, as a collector does; what it rises by shows only in a longer look."""
    return 1e9 + 5e5 * (int(at * 5) % 2)


def test_what_an_interval_leaves_open_is_looked_at_for_longer() -> None:
    """Twice as long, until it is settled; that is said."""
    scene = world(("a",))
    showing(scene, noisy)
    found = looked(scene, baseline=well(scene, 0.7))["memory-leak"]
    assert found.present is Answer.NO
    assert found.window_seconds == pytest.approx(2 * USUAL.total_seconds(), abs=0.3)
    assert any("not settled yet" in said for said in scene.talk.said)


def test_a_mean_across_its_limit_is_looked_at_for_longer() -> None:
    """0.7 against nine tenths of 0.75: twenty recalls do not tell, as many more do."""
    scene = world(("a",))
    showing(scene, calm)
    found = looked(scene, baseline=well(scene, 0.75))["poor-recall-quality"]
    assert found.nodes[0].symptoms[0].answer is Answer.NO
    assert found.window_seconds > 1.9 * USUAL.total_seconds()
    assert found.window_seconds < LONGEST.total_seconds()
    showing(scene, calm)
    short, _ = diagnose(poor_recall_quality.RUNBOOK, scene.target, scene.ports.read, well(scene, 0.75), USUAL)
    assert short.nodes[0].symptoms[0].answer is Answer.UNKNOWN
    assert "does not settle 0.9 x baseline 0.750" in short.nodes[0].symptoms[0].arithmetic


def test_groups_with_too_few_recalls_are_looked_at_for_longer() -> None:
    """Twenty in each at first; thirty are needed, and come."""
    scene = world(("a",))
    showing(scene, calm, lambda at: recalls(CONTROL, at))
    issues = (replace(poor_recall_quality.RUNBOOK, review=None),)
    short, _ = diagnose(issues[0], scene.target, scene.ports.read, well(scene, 0.7), USUAL)
    told = short.nodes[0].symptoms[2]
    assert told.answer is Answer.UNKNOWN
    assert re.fullmatch(
        r"1.00 x control's mean confidence settles nothing: 2\d and 2\d in .* are needed", told.arithmetic
    )
    found = looked(scene, issues, well(scene, 0.7))["poor-recall-quality"]
    assert found.nodes[0].symptoms[2].answer is not Answer.UNKNOWN, found.nodes[0].symptoms[2].arithmetic
    assert USUAL.total_seconds() * 1.9 < found.window_seconds < LONGEST.total_seconds()


def test_a_length_that_was_asked_for_is_kept_to() -> None:
    """Whatever it leaves open."""
    scene = world(("a",))
    showing(scene, noisy)
    found, _ = diagnose(memory_leak.RUNBOOK, scene.target, scene.ports.read, None, USUAL)
    assert found.present is Answer.UNKNOWN
    assert found.window_seconds == pytest.approx(USUAL.total_seconds(), abs=0.3)


def test_it_is_looked_no_longer_than_allowed() -> None:
    """Then it is UNKNOWN."""
    scene = world(("a",))
    showing(scene, lambda at: 1e9 + 3e8 * (int(at * 5) % 2))
    found = looked(scene, baseline=well(scene, 0.7))["memory-leak"]
    assert found.present is Answer.UNKNOWN
    assert found.window_seconds == pytest.approx(LONGEST.total_seconds(), abs=0.3)


def test_a_dead_node_hides_no_other() -> None:
    """Each issue has every node."""
    scene = world(("a", "b"))
    showing(scene, lambda at: 1e9 + 1e6 * at)
    scene.fleet.dead["a"] = "refused"
    for found in looked(scene).values():
        assert [node.silence.reason if node.silence else "" for node in found.nodes] == ["refused", ""]
    assert looked(scene)["memory-leak"].present is Answer.YES


def test_what_the_person_said_reaches_the_issue_that_asks_for_it() -> None:
    """And no other."""
    scene = world(("a",))
    showing(scene, calm)
    found = looked(scene, baseline=well(scene, 0.7), complaints=4)
    asked = {issue: [s for s in each.nodes[0].symptoms if s.source == "person"] for issue, each in found.items()}
    assert {issue: [s.answer for s in each] for issue, each in asked.items() if each} == {
        "poor-recall-quality": [Answer.YES]
    }


def test_recent_concepts_are_those_of_the_last_day_by_the_clock() -> None:
    """The review counts them; a node that does not tell is UNKNOWN there and nowhere else."""
    scene = world(("a", "b"))
    showing(scene, calm)
    now = scene.ports.read.clock.now()
    formed = [RecentConcept(f"c{at}", "s", (now - timedelta(hours=at)).isoformat(), 2, 0.3) for at in (1, 5, 23, 30)]
    scene.admin.formed = {"a": tuple(formed)}
    one, other = looked(scene, baseline=well(scene, 0.7))["poor-recall-quality"].nodes
    assert one.checks[-1].arithmetic == "3 of the newest 3 are weak: 100% > 20%"
    assert [each.concept.id for each in one.reviewed] == ["c1", "c5", "c23"]
    assert other.checks[-1].answer is Answer.UNKNOWN
    assert other.present is Answer.NO


@dataclass
class Remembering:
    """A source that looks back: it is asked for windows, and notes them."""

    asked: list[tuple[timedelta, tuple[str, ...]]]
    source: str = "http://prometheus"
    looks_back: bool = True
    usual_window: timedelta = USUAL

    def observe(self, *_: object) -> None:
        raise AssertionError("it observes by itself")

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        self.asked.append((window, tuple(names)))
        points = range(int(window.total_seconds() / 20) + 1)
        memory = tuple(Sample(1e9 + 20.0 * at, 1e9 + 2e6 * at) for at in points)  # 360 MB/h
        return {node.name: NodeSamples(node.name, (Series(MEMORY, (), memory),)) for node in nodes}


def test_a_source_that_looks_back_is_asked_for_the_window_and_once_for_the_past() -> None:
    """The past of what needs it only; the long limit is judged by it."""
    scene = world(("a",))
    remembering = Remembering([])
    read = replace(scene.ports.read, probes=remembering)
    found, _ = survey(ISSUES, scene.target, read, None, Span(timedelta(minutes=5), timedelta(minutes=5)))
    (first, names), (past, long_names) = remembering.asked
    assert (first, past) == (timedelta(minutes=5), timedelta(hours=6))
    assert set(long_names) == {MEMORY, "process_start_time_seconds"}
    assert {"engram_concepts_formed_total", "engram_memory_bytes", f"{CONFIDENCE}_bucket"} <= set(names)
    leak = next(each for each in found if each.issue == "memory-leak")
    assert leak.present is Answer.YES
    assert leak.nodes[0].symptoms[0].limit == 200.0


def test_an_issue_without_long_questions_does_not_ask_for_the_past() -> None:
    """It would cost Prometheus for nothing."""
    scene = world(("a",))
    remembering = Remembering([])
    read = replace(scene.ports.read, probes=remembering)
    survey((high_formation_rate.RUNBOOK,), scene.target, read, None, Span(USUAL, LONGEST))
    assert len(remembering.asked) == 1


def test_a_fleet_of_no_nodes_is_unknown() -> None:
    """Nothing is known of nothing."""
    scene = world(())
    showing(scene, calm)
    assert {each.present for each in looked(scene).values()} == {Answer.UNKNOWN}


def test_the_parts_that_grow_are_told_with_the_leak() -> None:
    """By component, the fastest first."""
    scene = world(("a",))
    showing(scene, calm)
    inner = scene.ports.read.probes.inner.expose  # type: ignore[attr-defined]  # Counted's

    def expose(name: str, at: float) -> Any:
        parts = {"cache": 3e6, "bindings": 9e6}
        grown = {("engram_memory_bytes", (("component", part),)): 1e8 + rate * at for part, rate in parts.items()}
        return inner(name, at) | grown

    scene.ports.read.probes.inner.expose = expose  # type: ignore[attr-defined]  # Counted's
    (node,) = looked(scene, (memory_leak.RUNBOOK,))["memory-leak"].nodes
    assert [(each.part, round(each.value)) for each in node.grows] == [("bindings", 32400), ("cache", 10800)]
