"""Consolidation forms concepts where episodes are alike, and only there; and it settles."""

import numpy as np
import pytest
from remembering import ALIKE, LOOSE, SPACE, Bench

from runbook.model.assignment import within
from runbook.sandbox.consolidation import PATIENCE
from runbook.sandbox.embedding import vector


def coherence(bench: Bench, contents: tuple[str, ...]) -> float:
    """The mean pairwise cosine of the texts, straight from the definition."""
    space = bench.engine.memory.spaces[SPACE]
    points = [space.vectors.get(entry.row) for entry in space.episodes.values() if entry.content in contents]
    return float(np.mean([a @ b for i, a in enumerate(points) for b in points[:i]]))


def test_similar_episodes_form_a_concept_at_the_default_threshold(bench: Bench) -> None:
    """Four ways to say one thing become one concept: their centroid, bound to each, its coherence measured."""
    bench.set(concept_sample_rate=1.0)
    ids = bench.remember(*ALIKE)
    formed = [concept for cycle in bench.settle() for concept in cycle.formed]
    assert [len(concept.members) for concept in formed] == [4]
    concept = formed[0].concept
    assert concept.coherence == pytest.approx(coherence(bench, ALIKE), abs=1e-5)
    assert concept.coherence >= 0.65
    assert float(np.linalg.norm(vector(concept.embedding))) == pytest.approx(1.0, abs=1e-5)
    bindings = bench.engine.memory.spaces[SPACE].bindings[concept.id]
    assert sorted(bindings) == ids
    assert sum(binding.contribution for binding in bindings.values()) == pytest.approx(1.0)
    assert all(0.65 < binding.strength <= 1.0 for binding in bindings.values())


def test_loose_episodes_form_nothing_at_the_default_threshold(bench: Bench) -> None:
    """Noise stays noise, and is given up after a few cycles."""
    bench.set(concept_sample_rate=1.0)
    bench.remember(*LOOSE)
    assert 0.3 < coherence(bench, LOOSE) < 0.6
    cycles = bench.settle()
    assert len(cycles) == PATIENCE
    assert not any(cycle.formed for cycle in cycles)


def test_loose_episodes_form_a_concept_when_the_threshold_is_too_low(bench: Bench) -> None:
    """The same episodes; only the setting differs."""
    bench.set(concept_sample_rate=1.0, coherence_threshold=0.3)
    bench.remember(*LOOSE)
    assert [len(formed.members) for cycle in bench.settle() for formed in cycle.formed] == [4]


@pytest.mark.parametrize(("size", "formed"), [(4, 1), (5, 0)])
def test_a_cluster_must_be_large_enough(bench: Bench, size: int, formed: int) -> None:
    """`min_cluster_size` is inclusive."""
    bench.set(concept_sample_rate=1.0, min_cluster_size=size)
    bench.remember(*ALIKE)
    assert sum(len(cycle.formed) for cycle in bench.settle()) == formed


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_sampling_is_decided_by_the_lowest_id(bench: Bench, rate: float) -> None:
    """Whether a cluster becomes a concept is the same in every cycle, every process and every run."""
    bench.set(concept_sample_rate=rate)
    for seed in range(6):
        ids = bench.remember(*ALIKE, prefix=f"case-{seed}-{rate:g}")
        concepts_before = len(bench.engine.memory.spaces[SPACE].concepts)
        formed = [concept for cycle in bench.settle() for concept in cycle.formed]
        if concepts_before == 0:
            assert len(formed) == within(min(ids), rate)


def test_what_resembles_a_concept_is_merged_into_it(bench: Bench) -> None:
    """A second cluster about the same makes no second concept; the first one grows."""
    bench.set(concept_sample_rate=1.0)
    bench.remember(*ALIKE)
    bench.settle()
    bench.remember(*ALIKE)
    assert sum(cycle.merged for cycle in bench.settle()) == 1
    (concept,) = bench.engine.memory.spaces[SPACE].concepts.values()
    assert concept.instance_count == 8
    assert bench.rows("SELECT instance_count FROM concept") == [(8,)]
    assert len(bench.engine.memory.spaces[SPACE].bindings[concept.id]) == 8


@pytest.mark.parametrize("flag", ["enabled", "enable_concepts"])
def test_nothing_forms_while_a_flag_is_off(bench: Bench, flag: str) -> None:
    """Nothing forms and nothing is lost: with the flag on again the same episodes are looked at."""
    bench.set(concept_sample_rate=1.0, **{flag: False})
    bench.remember(*ALIKE)
    assert not any(bench.engine.consolidate().formed for _ in range(PATIENCE + 1))
    assert bench.engine.consolidation.pending() == 4
    bench.set(**{flag: True})
    assert sum(len(cycle.formed) for cycle in bench.settle()) == 1


def test_a_settled_node_stays_settled_over_a_restart(bench: Bench) -> None:
    """What was given up or absorbed is not looked at again; concepts and bindings are there as before."""
    bench.set(concept_sample_rate=1.0)
    bench.remember(*ALIKE, *LOOSE)
    bench.settle()
    before = bench.engine.memory.spaces[SPACE]
    bench.reopen()
    after = bench.engine.memory.spaces[SPACE]
    assert bench.engine.consolidation.pending() == 0
    assert after.concepts == before.concepts
    assert after.bindings == before.bindings
    assert after.bindings


def test_spaces_are_apart(bench: Bench) -> None:
    """Episodes of two spaces never make a concept together."""
    bench.set(concept_sample_rate=1.0)
    bench.engine.memory.create_space("tenant-b").result()
    bench.remember(*ALIKE[:2])
    bench.remember(*ALIKE[2:], space="tenant-b")
    assert not any(cycle.formed for cycle in bench.settle())


def test_cleanup_collects_the_bindings_of_forgotten_episodes(bench: Bench) -> None:
    """With `binding_cleanup` off they stay and are counted as orphans; with it on they go, with a tombstone each."""
    bench.set(concept_sample_rate=1.0, binding_cleanup=False)
    ids = bench.remember(*ALIKE)
    bench.settle()
    bench.forget(*ids[:3])
    bench.engine.consolidate()
    assert bench.engine.sizes()[SPACE]["orphans"] == 3
    bench.set(binding_cleanup=True)
    assert bench.engine.consolidate().collected == 3
    assert bench.engine.sizes()[SPACE] == {"episodes": 1, "concepts": 1, "bindings": 1, "orphans": 0, "pending": 0}
    assert bench.rows("SELECT count(*) FROM binding") == [(1,)]
    assert bench.rows("SELECT count(*) FROM tombstone WHERE kind = 'binding'") == [(3,)]


def test_a_large_backlog_is_worked_off(bench: Bench) -> None:
    """More episodes than one cycle looks at: every cycle ends, and in the end nothing is pending."""
    bench.remember(*(f"{text} number {number}" for number in range(180) for text in LOOSE))
    assert bench.engine.consolidation.backlog()
    cycles = 0
    while bench.engine.consolidation.pending():
        bench.engine.consolidate()
        cycles += 1
        assert cycles < 30
