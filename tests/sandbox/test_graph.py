"""Recall along two paths, and what it leaves behind; forgetting."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from remembering import ALIKE, LOOSE, SPACE, Bench

from runbook.sandbox.cache import associations
from runbook.sandbox.graph import DualMemoryGraph, MemoryGraph, confidence_of

if TYPE_CHECKING:
    from runbook.sandbox.graph import Graph


def everything(bench: Bench) -> list[object]:
    """All that is stored, and all that is counted but time and memory of the process itself."""
    tables = ("meta", "setting", "space", "episode", "vector", "concept", "binding", "tombstone", "cell")
    stored = [bench.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608 - names of tables
    lines = bench.engine.instruments.exposition().decode().splitlines()
    counted = [line for line in lines if not line.startswith(("process_", "python_", "#"))]
    return [*stored, counted, bench.engine.cells.since(0)]


def flush(bench: Bench) -> None:
    """What the background writes now and then, written."""
    bench.engine.access.flush()
    bench.engine.cells.flush()
    bench.engine.settings.change({}).result()  # the writer works in order: what was handed over before is done


def formed(bench: Bench) -> list[str]:
    """A concept of four episodes; their ids."""
    bench.set(concept_sample_rate=1.0)
    ids = bench.remember(*ALIKE)
    bench.settle()
    return ids


def test_the_nearest_come_first(bench: Bench) -> None:
    """Episodic recall is the cosine, best first."""
    bench.set(use_blended_recall=False)
    bench.remember(*ALIKE, *LOOSE)
    found = bench.recall("copper kettle in the kitchen", count=3).recalled
    similar = [result.similarity for result in found.results]
    assert similar == sorted(similar, reverse=True)
    assert {result.episode.content for result in found.results} <= set(LOOSE)
    assert {result.path for result in found.results} == {"episodic"}
    assert found.semantic_share is None


def test_concepts_lead_to_episodes_that_the_cue_alone_would_miss(bench: Bench) -> None:
    """With one result asked for by similarity, its siblings come through the concept; the share says how much."""
    formed(bench)
    bench.remember(*(f"Meadow number {number}" for number in range(20)))
    bench.set(semantic_weight=0.9)
    found = bench.recall("a disk failure on a server in the meadow", count=6).recalled
    through = [result for result in found.results if result.path != "episodic"]
    assert len(through) == 4
    assert found.semantic_share is not None
    assert 0.0 < found.semantic_share <= 1.0
    assert found.fans == (4,)


def test_the_more_associations_the_weaker_each(bench: Bench) -> None:
    """The fan effect: what reaches one episode through a concept of eight is half of what a concept of four gives."""
    ids = formed(bench)
    held = bench.engine.memory.spaces[SPACE]
    small = bench.recall(ALIKE[0]).recalled
    bench.remember(*ALIKE)
    bench.settle()
    large = bench.recall(ALIKE[0]).recalled
    assert (small.fans, large.fans) == ((4,), (8,))
    (concept,) = held.concepts
    assert associations(held, concept).fan == 8
    gain = [next(r for r in found.results if r.episode.id == ids[0]) for found in (small, large)]
    spread = [result.confidence / result.similarity for result in gain]
    assert spread[0] >= spread[1]


def test_group_follows_the_treatment_rate(bench: Bench) -> None:
    """A share of nothing is control, everything is treatment, a named space always; disabled, nobody is treated."""
    bench.set(treatment_rate=0.0)
    assert bench.recall("x").group == "control"
    bench.set(treatment_spaces=(SPACE,))
    assert bench.recall("x").group == "treatment"
    bench.set(treatment_spaces=(), treatment_rate=1.0)
    assert bench.recall("x").group == "treatment"
    bench.set(enabled=False)
    assert bench.recall("x").group == "control"


def test_a_recall_that_is_not_observed_changes_nothing(bench: Bench) -> None:
    """No counter, no activation, no cache entry, no cell, no sequence number."""
    formed(bench)
    flush(bench)
    before = everything(bench)
    found = bench.recall(ALIKE[0], observe=False)
    assert found.recalled.fans
    flush(bench)
    assert everything(bench) == before
    assert bench.recall(ALIKE[0], observe=False).recalled == bench.recall(ALIKE[0]).recalled


def test_an_observed_recall_is_noted(bench: Bench) -> None:
    """Activation rises towards 1, count and time are kept, concept and binding are touched; in the background."""
    ids = formed(bench)
    bench.recall(ALIKE[0], count=1)
    bench.recall(ALIKE[0], count=1)
    flush(bench)
    activation, count, when = bench.rows(
        f"SELECT activation, recall_count, last_recall FROM episode WHERE id = '{ids[0]}'"  # noqa: S608 - a test's id
    )[0]
    assert (activation, count) == (pytest.approx(1 - 0.5 * 0.81), 2)
    assert when > 0
    assert bench.rows("SELECT activation, last_access > 0 FROM concept") == [(pytest.approx(1 - 0.5 * 0.81), 1)]
    assert bench.rows("SELECT episode_id FROM binding WHERE last_activated > 0") == [(ids[0],)]
    (cell,) = bench.engine.cells.since(0)
    assert (cell["n"], cell["confidence_n"], cell["group"]) == (2, 2, "treatment")


def test_forgetting_leaves_a_tombstone(bench: Bench) -> None:
    """With the sequence number of the forgetting; the episode is gone from recall, at once and after a restart."""
    ids = bench.remember(*LOOSE)
    sequence = bench.engine.store.sequence
    assert bench.forget(ids[0], "never-there") == {ids[0]: sequence + 1}
    assert bench.rows("SELECT kind, space, id, seq FROM tombstone") == [("episode", SPACE, ids[0], sequence + 1)]
    for _ in range(2):
        assert ids[0] not in {result.episode.id for result in bench.recall(LOOSE[0]).recalled.results}
        bench.reopen()
    assert bench.engine.store.sequence >= sequence + 1


def test_what_is_remembered_again_has_no_tombstone(bench: Bench) -> None:
    """The newer word counts."""
    (id_,) = bench.remember(LOOSE[0])
    bench.forget(id_)
    episode = bench.engine.memory.spaces[SPACE]
    assert not episode.episodes
    bench._numbers = iter(range(10))  # type: ignore[assignment]  # the same id again
    assert bench.remember(LOOSE[0]) == [id_]
    assert bench.rows("SELECT * FROM tombstone") == []


def test_the_cache_is_bounded_and_measured(bench: Bench) -> None:
    """It holds what recall used, as many as its size allows; 0 is no cache, and the answers are the same."""
    formed(bench)
    plain = bench.recall(ALIKE[0]).recalled
    entries, size = bench.engine.cached()
    assert entries == 1
    assert size > 0
    bench.set(concept_cache_size=0)
    assert bench.recall(ALIKE[0]).recalled == plain
    assert bench.engine.cached() == (0, 0)


def test_both_memories_keep_the_protocol(bench: Bench) -> None:
    """Control and treatment remember, recall, forget and take a snapshot of the same episodes."""
    ids = formed(bench)
    memory = bench.engine.memory
    graphs: list[Graph] = [
        MemoryGraph(memory, semantic_weight=0.3, cache_size=10),
        DualMemoryGraph(memory, blended=True, semantic_weight=0.3, cache_size=10),
    ]
    assert [graph.snapshot(SPACE).episodes for graph in graphs] == [4, 4]
    assert [graph.snapshot(SPACE).concepts for graph in graphs] == [0, 1]
    assert graphs[0].forget(SPACE, ids[:1]).result()
    assert [graph.snapshot(SPACE).episodes for graph in graphs] == [3, 3]


def test_a_recall_costs_the_control_group_what_it_costs_the_other(bench: Bench) -> None:
    """Both prepare the concepts that a cue calls up; the answer of the control group has nothing of them."""
    formed(bench)
    bench.set(treatment_rate=0.0)
    found = bench.recall(ALIKE[0])
    assert (found.group, found.recalled.semantic_share, found.recalled.concepts) == ("control", None, ())
    assert {result.path for result in found.recalled.results} == {"episodic"}
    assert bench.engine.cached()[0] == 1


def test_extreme_semantic_weight_costs_confidence_not_validity(bench: Bench) -> None:
    """All weight on the concepts brings worse results; confidences stay within 0 and 1."""
    formed(bench)
    bench.remember(*LOOSE)
    query = "copper kettle window kitchen bakery disk"
    bench.set(semantic_weight=1.0)
    worse = bench.recall(query, count=3).recalled
    bench.set(semantic_weight=0.0)
    better = bench.recall(query, count=3).recalled
    assert better.confidence is not None
    assert worse.confidence is not None
    assert np.all([0.0 <= result.confidence <= 1.0 for result in worse.results])
    assert worse.confidence <= better.confidence


def test_all_weight_on_concepts_survives_forgotten_episodes(bench: Bench) -> None:
    """The rows that forgetting left free are no results, and hide none."""
    formed(bench)
    gone = bench.remember(*(f"Meadow number {number}" for number in range(20)))
    bench.forget(*gone)
    bench.set(semantic_weight=1.0)
    found = bench.recall(ALIKE[0], count=4).recalled
    assert {result.episode.content for result in found.results} == set(ALIKE)


def test_only_what_a_concept_led_to_is_called_semantic(bench: Bench) -> None:
    """Episodes that nothing speaks for fill the list up; no concept led to them, whatever order they come in."""
    formed(bench)
    bench.remember(*(f"Zebra {number} sleeps" for number in range(30)))
    bench.set(semantic_weight=1.0)
    found = bench.recall("a disk failure on the database server", count=20).recalled
    led_to = {episode for _, episode in found.bindings}
    assert len(led_to) == len(ALIKE)
    assert {result.episode.id for result in found.results if result.path != "episodic"} == led_to


def test_a_concept_whose_episodes_are_all_forgotten_is_no_error(bench: Bench) -> None:
    """It leads nowhere; after its bindings were collected, and after a restart too."""
    bench.forget(*formed(bench))
    bench.remember(*LOOSE)
    bench.engine.consolidate()
    for _ in range(2):
        found = bench.recall(ALIKE[0]).recalled
        assert found.fans == ()
        assert len(found.results) == len(LOOSE)
        bench.reopen()


def test_a_binding_holds_what_it_points_at_until_it_is_collected(bench: Bench) -> None:
    """The row of a forgotten episode is no result and is not given out; after the collection it is used again."""
    ids = formed(bench)
    held = bench.engine.memory.spaces[SPACE]
    row = held.episodes[ids[0]].row
    small = held.resident_bytes()
    bench.forget(ids[0])
    assert (len(held.orphans), len(held.held)) == (1, 1)
    assert held.resident_bytes()["bindings"] > small["bindings"] + 3000
    assert ids[0] not in {result.episode.id for result in bench.recall(ALIKE[0]).recalled.results}
    (other,) = bench.remember(LOOSE[0])
    assert held.episodes[other].row != row
    assert bench.engine.consolidation.collect() == 1
    assert (held.orphans, held.held, held.held_bytes) == (set(), {}, 0)
    (other,) = bench.remember(LOOSE[1])
    assert held.episodes[other].row == row


@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_remembered_again_inherits_no_binding(bench: Bench, *, restarts: bool) -> None:
    """Another text under the id of a forgotten one: the concept does not lead to it, on the disk neither."""
    ids = formed(bench)
    bench.set(binding_cleanup=False)
    bench.forget(ids[0])
    bench._numbers = iter([int(ids[0][-4:])])  # type: ignore[assignment]  # the same id again
    assert bench.remember(LOOSE[0]) == [ids[0]]
    if restarts:
        bench.reopen()
    held = bench.engine.memory.spaces[SPACE]
    assert ids[0] not in held.bound
    assert (held.orphans, held.held) == (set(), {})
    assert bench.rows(f"SELECT * FROM binding WHERE episode_id = '{ids[0]}'") == []  # noqa: S608 - a test's id
    bench.set(binding_cleanup=True)
    bench.engine.consolidate()
    assert len(next(iter(held.bindings.values()))) == len(ALIKE) - 1


def test_an_outdated_entry_leaves_the_cache_as_the_least_recently_used(bench: Bench) -> None:
    """A change of the concept makes another entry; the size is what bounds them, and a smaller one evicts at once."""
    ids = formed(bench)
    for id_ in ids[:2]:
        bench.recall(ALIKE[3])
        bench.forget(id_)
    bench.recall(ALIKE[3])
    assert bench.engine.cached()[0] == 3
    bench.set(concept_cache_size=1)
    fans = bench.recall(ALIKE[3]).recalled.fans
    assert (bench.engine.cached()[0], fans) == (1, (2,))


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.3])
def test_up_to_the_balanced_weight_direct_fit_counts_in_full(weight: float) -> None:
    """Nothing that is corroborated is less sure than the cosine alone."""
    assert confidence_of(0.6, 0.0, 0.0, weight) == pytest.approx(0.6)
    assert 0.6 < confidence_of(0.6, 0.5, 0.0, weight) <= 1.0


def test_weight_and_doubt_cost_confidence() -> None:
    """The more the less, and never beyond 0 and 1; without semantic weight concepts cannot mislead."""
    weights = [confidence_of(0.6, 0.05, 0.0, weight / 20) for weight in range(6, 21)]
    assert weights == sorted(weights, reverse=True)
    doubts = [confidence_of(0.6, 0.05, doubt / 10, 0.3) for doubt in range(11)]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[-1] == 0.0
    assert confidence_of(0.6, 0.0, 1.0, 0.0) == pytest.approx(0.6)
