"""The production validator over a fleet in memory: what passes is proved, what fails is certain, the rest holds."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from validating import QUERY, WINDOW, Scene, outcomes

from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.validate.last import details_of, last_validation
from runbook.engine.validate.run import all_silent, validate, watch
from runbook.errors import UnreachableError
from runbook.model.journal import Event
from runbook.model.measurement import Silence
from runbook.model.validation import Recommendation
from runbook.model.validation_golden import Answered, Recalled
from runbook.model.validation_limits import CHECKS


def test_a_fleet_as_well_as_before_passes_all_eight() -> None:
    """And it is recommended to proceed, with an arithmetic for every part."""
    scene = Scene()
    found = scene.validated(scene.baseline())
    assert outcomes(found) == {}
    assert [each.name for each in found.checks] == [kind.name for kind in CHECKS]
    assert found.recommendation is Recommendation.PROCEED
    assert all(part.arithmetic for each in found.checks for part in each.parts)


def test_it_looks_on_until_it_is_settled_and_no_longer() -> None:
    """One window proves no failure rate under 0.1 %; three do. Each look's intervals allow for all looks."""
    scene = Scene()
    baseline = scene.baseline()
    begin = scene.clock.monotonic()
    found = scene.validated(baseline)
    assert found.looks == 2
    assert found.confidence == pytest.approx(1 - 0.05 / 3)
    assert scene.clock.monotonic() - begin == pytest.approx(3 * WINDOW.total_seconds(), abs=5)
    assert any("not settled" in each for each in scene.talk.said)


@pytest.mark.parametrize(
    ("sick", "check", "recommendation"),
    [
        ({"latency": 0.0015}, "latency", Recommendation.ROLL_BACK),
        ({"slow": 0.05}, "latency", Recommendation.ROLL_BACK),
        ({"memory": 130e6}, "memory", Recommendation.HOLD),
        ({"growth": 4000e6}, "memory", Recommendation.HOLD),
        ({"cpu": 0.003}, "cpu", Recommendation.HOLD),
        ({"confidence": 0.5}, "recall-quality", Recommendation.ROLL_BACK),
        ({"fan": 24.0}, "fan-effect", Recommendation.HOLD),
        ({"fan": 90.0}, "fan-effect", Recommendation.HOLD),
        ({"failing": 0.02}, "error-rate", Recommendation.ROLL_BACK),
        ({"cycles_failing": 0.3}, "consolidation", Recommendation.HOLD),
    ],
)
def test_one_sick_node_of_two_fails_its_check(
    sick: dict[str, float], check: str, recommendation: Recommendation
) -> None:
    """Where the whole interval is beyond the limit; what hurts users rolls back, anything else holds."""
    scene = Scene()
    baseline = scene.baseline()
    scene.sicken("b", **sick)
    found = scene.validated(baseline)
    assert outcomes(found)[check] == "FAIL"
    assert found.recommendation is recommendation
    failed = [part for part in found.check(check).parts if part.outcome.value == "FAIL"]
    assert {part.node for part in failed} <= {"b", "fleet"}


def test_a_little_is_neither_proved_nor_disproved() -> None:
    """9 % slower is under the limit of 10 %, but no window tells it from 11 %: UNKNOWN, and hold."""
    scene = Scene()
    baseline = scene.baseline()
    scene.sicken("b", latency=0.00109)
    found = scene.validated(baseline)
    assert outcomes(found) == {"latency": "UNKNOWN"}
    assert found.recommendation is Recommendation.HOLD
    assert found.looks == 3, "all the time that there was"


def test_weak_concepts_fail() -> None:
    """Every one that is held was counted, so that nothing is left to chance."""
    scene = Scene()
    baseline = scene.baseline()
    scene.coherence = 0.55
    assert outcomes(scene.validated(baseline)) == {"concept-coherence": "FAIL"}


def test_golden_queries_that_bring_back_less_fail() -> None:
    """However sure the node is of its answers."""
    scene = Scene()
    baseline = scene.baseline()
    scene.answered = Answered(tuple(Recalled(QUERY, "treatment", share, changed=False) for share in [0.5, 0.6] * 25))
    found = scene.validated(baseline)
    assert outcomes(found) == {"recall-quality": "FAIL"}
    assert found.recommendation is Recommendation.ROLL_BACK


def test_a_handful_of_golden_queries_proves_nothing_good() -> None:
    """Five that are left of fifty, nearly all right, hold as five that are all right do; five that are wrong fail."""
    scene = Scene()
    baseline = scene.baseline()
    few = {(1.0, 1.0, 1.0, 1.0, 0.9): "UNKNOWN", (1.0,) * 5: "UNKNOWN", (0.0, 0.1, 0.0, 0.0, 0.0): "FAIL"}
    for shares, outcome in few.items():
        scene.answered = Answered(tuple(Recalled(QUERY, "control", share, changed=False) for share in shares))
        assert scene.validated(baseline).check("recall-quality").outcome.value == outcome


def test_one_burst_that_was_all_that_was_seen_proves_nothing() -> None:
    """Two samples are one block of time: 3 % of its recalls are slow, and how the next one would be is not known."""
    scene = Scene()
    baseline = scene.baseline()
    scope = scene.scope(baseline)
    scene.sicken("a", slow=0.03)
    seen = watch(scene.ports, scope)
    assert validate(scene.ports, scope, seen, lambda: scene.answered).check("latency").outcome.value == "FAIL"
    two = {
        name: replace(
            found, series=tuple(replace(each, samples=each.samples[:: len(each.samples) - 1]) for each in found.series)
        )
        for name, found in seen.samples.items()
        if not isinstance(found, Silence)
    }
    found = validate(scene.ports, scope, replace(seen, samples=two), lambda: scene.answered)
    assert found.check("latency").outcome.value == "UNKNOWN"


def test_nobody_treated_is_told_apart_from_the_treated() -> None:
    """A bad group is not hidden behind a good one."""
    scene = Scene()
    baseline = scene.baseline()
    control = replace(QUERY, group="control")
    good = [Recalled(control, "control", 1.0, changed=False)] * 40
    bad = [Recalled(QUERY, "treatment", share, changed=False) for share in [0.5, 0.6] * 10]
    scene.answered = Answered((*good, *bad))
    parts = {part.question: part.outcome.value for part in scene.validated(baseline).check("recall-quality").parts}
    assert parts["what must come to mind does (control)"] == "PASS"
    assert parts["what must come to mind does (treatment)"] == "FAIL"


def test_without_a_baseline_nothing_passes_that_compares() -> None:
    """And the way to get one is named."""
    scene = Scene()
    scene.answered = "the baseline has no golden queries"
    found = scene.validated(None)
    assert outcomes(found) == dict.fromkeys(
        ("latency", "memory", "cpu", "recall-quality", "fan-effect", "error-rate"), "UNKNOWN"
    )
    assert found.recommendation is Recommendation.HOLD
    assert any("runbook baseline capture" in note for note in found.notes)


def test_one_silent_node_of_two_leaves_every_check_unknown() -> None:
    """What the other says proves nothing about it."""
    scene = Scene()
    baseline = scene.baseline()
    scene.sicken("b", silent="connection refused")
    found = scene.validated(baseline)
    assert outcomes(found) == dict.fromkeys((kind.name for kind in CHECKS), "UNKNOWN")
    assert all(any("connection refused" in part.arithmetic for part in each.parts) for each in found.checks)


def test_a_fleet_that_is_silent_is_not_looked_at_for_long() -> None:
    """Who asks is told at the first look; the caller makes it an error."""
    scene = Scene()
    baseline = scene.baseline()
    for name in scene.health:
        scene.sicken(name, silent="connection refused")
    begin = scene.clock.monotonic()
    seen = watch(scene.ports, scene.scope(baseline))
    assert [each.node for each in all_silent(seen)] == ["a", "b"]
    assert scene.clock.monotonic() - begin == pytest.approx(WINDOW.total_seconds(), abs=5)


def test_without_traffic_nothing_is_known_of_recalls() -> None:
    """No recall is neither fast nor without errors."""
    scene = Scene()
    baseline = scene.baseline()
    for name in scene.health:
        scene.sicken(name, rate=0.0)
    found = scene.validated(baseline)
    wanted = ("latency", "cpu", "recall-quality", "fan-effect", "error-rate")
    assert outcomes(found) == dict.fromkeys(wanted, "UNKNOWN")


def test_cpu_is_not_compared_at_another_traffic() -> None:
    """What a node does besides weighs more on fewer recalls."""
    scene = Scene()
    baseline = scene.baseline()
    for name in scene.health:
        scene.sicken(name, rate=20.0, cpu=0.0025)
    found = scene.validated(baseline)
    assert outcomes(found)["cpu"] == "UNKNOWN"
    assert "capture a baseline at this traffic" in found.check("cpu").parts[0].arithmetic


def test_a_node_that_began_again_is_not_known_to_be_well() -> None:
    """Its counters count from zero, which is no negative rate; whether it crashed nobody knows."""
    scene = Scene()
    baseline = scene.baseline()
    begin = scene.clock.monotonic()
    well = scene.health["b"]

    def crash(at: float, shown: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> object:
        if at > begin + 30:
            scene.health["b"] = replace(well, started=77.0)
        return shown

    scene.sicken("b", more=crash)
    found = scene.validated(baseline)
    assert outcomes(found) == {"error-rate": "UNKNOWN"}
    assert any("it began again 1 time" in part.arithmetic for part in found.check("error-rate").parts)


def test_values_that_are_no_number_are_no_data() -> None:
    """NaN in a counter, in a gauge and in a bucket: UNKNOWN, never zero."""
    scene = Scene()
    baseline = scene.baseline()
    scope = scene.scope(baseline)
    seen = watch(scene.ports, scope)
    spoiled = {
        name: found
        if isinstance(found, Silence)
        else replace(
            found,
            series=tuple(
                replace(each, samples=(*each.samples[:-1], replace(each.samples[-1], value=math.nan)))
                if each.name != "process_start_time_seconds"
                else each
                for each in found.series
            ),
        )
        for name, found in seen.samples.items()
    }
    found = validate(scene.ports, scope, replace(seen, samples=spoiled), lambda: scene.answered)
    assert outcomes(found) == dict.fromkeys((kind.name for kind in CHECKS), "UNKNOWN")


@pytest.mark.parametrize(
    "metric",
    [
        "engram_recall_duration_seconds_bucket",
        "process_resident_memory_bytes",
        "engram_consolidation_runs_total",
        "engram_concepts",
    ],
)
def test_a_metric_that_is_not_exposed_is_no_data(metric: str) -> None:
    """Each check names what it misses."""
    scene = Scene()
    baseline = scene.baseline()
    scene.sicken("b", without=frozenset({metric}))
    found = scene.validated(baseline)
    assert set(outcomes(found).values()) == {"UNKNOWN"}
    assert any(metric in part.arithmetic for each in found.checks for part in each.parts)


def test_a_baseline_of_other_nodes_settles_nothing() -> None:
    """Neither for a node that it does not know, nor where one of its own is gone; a chosen node is only itself."""
    scene = Scene()
    baseline = scene.baseline()
    scene.health["c"] = scene.health["a"]
    del scene.health["b"]
    found = scene.validated(baseline)
    assert set(outcomes(found).values()) == {"UNKNOWN"}
    assert len(outcomes(found)) == len(CHECKS)
    assert any("the baseline knows it, the target does not" in p.arithmetic for p in found.check("memory").parts)
    assert outcomes(scene.validated(baseline, None, "a")) == {}


def test_a_database_is_asked_once_and_its_failure_is_told() -> None:
    """What looks back needs no watching; where it cannot be reached nothing is judged at all."""
    scene = Scene()
    baseline = scene.baseline()
    watch(scene.ports, scene.scope(baseline))
    scene.probes.looks_back = True
    begin = scene.clock.monotonic()
    found = scene.validated(baseline)
    assert (scene.clock.monotonic(), found.looks, found.confidence) == (begin, 1, 0.95)
    assert outcomes(found) == {"consolidation": "UNKNOWN"}, "one window is too short to prove so few failures"

    class Gone:
        """A database that does not answer."""

        looks_back, source = True, "http://prometheus"

        def samples(self, *_: object) -> None:
            raise UnreachableError("connection refused")

    with pytest.raises(UnreachableError):
        watch(replace(scene.ports, probes=Gone()), scene.scope(baseline))  # type: ignore[arg-type]  # all that is asked


def test_a_soak_asks_for_the_slope() -> None:
    """An hour that grows 100 MB is under the limit, and proved so; one that grows 2 GB is not."""
    for growth, outcome in ((100e6, "PASS"), (2000e6, "FAIL")):
        scene = Scene()
        baseline = scene.baseline()
        scene.sicken("a", growth=growth, memory=1000e6)
        scene.sicken("b", growth=growth, memory=1000e6)
        found = scene.validated(baseline, timedelta(hours=1))
        grows = [part for part in found.check("memory").parts if part.question == "memory does not grow"]
        assert {part.outcome.value for part in grows} == {outcome}
        assert found.soak
        assert found.seconds == pytest.approx(3600, abs=15)
        assert found.tracks


def test_a_look_that_fails_loses_no_soak() -> None:
    """A database that is gone for some minutes is a silence that is told, and no end."""
    scene = Scene()
    baseline = scene.baseline()
    begin, real = scene.clock.monotonic(), scene.probes

    class Flaky:
        """Fails in the tenth minute, and again at the very end."""

        looks_back, source = True, "http://prometheus"

        def observe(self, *asked: object) -> None:
            real.observe(*asked)  # type: ignore[arg-type]  # handed on

        def samples(self, *asked: object) -> object:
            minute = (scene.clock.monotonic() - begin) / 60
            if 9 < minute < 12 or 29.99 < minute < 30.03:
                raise UnreachableError("connection refused")
            return real.samples(*asked)  # type: ignore[arg-type]  # handed on

    scope = scene.scope(baseline, timedelta(minutes=30))
    ports = replace(scene.ports, probes=Flaky())  # type: ignore[arg-type]  # all that is asked
    found = validate(ports, scope, watch(ports, scope), lambda: scene.answered)
    assert outcomes(found) == {}
    assert any("was silent at" in note for note in found.notes)


def test_ctrl_c_while_the_golden_queries_are_asked_loses_nothing() -> None:
    """All the rest is judged as it was seen."""
    scene = Scene()
    scope = scene.scope(scene.baseline())

    def ask() -> Answered:
        raise KeyboardInterrupt

    found = validate(scene.ports, scope, watch(scene.ports, scope), ask)
    assert found.interrupted is not None
    assert outcomes(found) == {"recall-quality": "UNKNOWN"}


def test_ctrl_c_gives_what_was_seen_until_then() -> None:
    """It is judged, says so, and opens no gate."""
    scene = Scene()
    baseline = scene.baseline()
    begin, well = scene.clock.monotonic(), scene.health["b"]

    def interrupt(at: float, shown: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> object:
        if at > begin + 600:
            raise KeyboardInterrupt
        return shown

    scene.health["b"] = replace(well, more=interrupt)
    scope = scene.scope(baseline, timedelta(hours=1))
    seen = watch(scene.ports, scope)
    assert seen.interrupted is not None
    found = validate(scene.ports, scope, seen, lambda: pytest.fail("a golden query was asked"))
    assert found.seconds == pytest.approx(600, abs=20)
    assert found.check("error-rate").outcome.value == "PASS"
    assert outcomes(found)["recall-quality"] == "UNKNOWN"
    assert any("interrupted after" in note for note in found.notes)


def test_the_journal_gives_the_last_one_back() -> None:
    """Of that target, with its outcomes; one that was broken off, or of some nodes, is no whole one."""
    scene = Scene()
    found = scene.validated(scene.baseline())
    journal = MemoryJournal(scene.clock, "anna", "bastion")
    assert last_validation(journal.entries(), "fleet") is None
    journal.append(Event.VALIDATED, "", details_of(found, whole=False))
    journal.append(Event.VALIDATED, "", details_of(found, whole=True))
    journal.append(Event.VALIDATED, "", details_of(replace(found, target="other"), whole=True))
    last = last_validation(journal.entries(), "fleet")
    assert last is not None
    assert (last.seq, last.recommendation, last.whole) == (2, Recommendation.PROCEED, True)
    assert {outcome.value for outcome in last.outcomes.values()} == {"PASS"}
