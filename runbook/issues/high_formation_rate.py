"""Concepts form faster than consolidation can absorb them."""

from datetime import timedelta

from runbook.model.metric import Metric
from runbook.model.risk import Risk
from runbook.model.runbook import Check, Move, Play, Runbook, Step, Symptom, Verify

THRESHOLD = "dual_memory.coherence_threshold"
SAMPLE_RATE = "dual_memory.concept_sample_rate"
CLUSTER_SIZE = "dual_memory.min_cluster_size"
CONCEPTS = "dual_memory.enable_concepts"

# Engram's own alert: 5000 concepts an hour, whatever is usual.
ALERT = 5000 / 60

formed = Metric("engram_concepts_formed_total").per_minute("concepts/min")
memory = Metric("process_resident_memory_bytes").megabytes_per_hour()
consolidation = Metric("engram_consolidation_duration_seconds").quantile(0.99)


def _tune(key: str) -> tuple[Play, Play]:
    return Play("set_config", key), Play("restore_config", key)


_THRESHOLD, _SAMPLE_RATE, _CLUSTER_SIZE = _tune(THRESHOLD), _tune(SAMPLE_RATE), _tune(CLUSTER_SIZE)

RUNBOOK = Runbook(
    slug="high-formation-rate",
    title="High concept formation rate",
    why="Weak concepts are admitted, so memory grows and consolidation falls behind.",
    leading=Symptom(
        "Concept formation spikes",
        # Three times what is usual, but never for a trickle; 5000/h is Engram's own alert, whatever is usual.
        formed.above_baseline(3.0, floor=60.0, ceiling=ALERT),
        why="The counter of formed concepts rises faster than when the fleet was well.",
        alert="HighConceptFormationRate",
    ),
    supporting=(
        Symptom(
            "Memory increases",
            memory.above(500.0),
            why="500 MB/h is the abort limit of Engram's rollout plan; the whole interval must be above it.",
            alert="ConceptsFillMemory",
        ),
        Symptom(
            "Consolidation gets slower",
            # 6 s is Engram's own alert on the p99 of a cycle; under 20 ms nobody is held up.
            consolidation.above_baseline(2.0, floor=0.020, ceiling=6.0),
            why="A cycle compares every waiting episode with every other.",
            alert="ConsolidationSlow",
        ),
    ),
    checks=(
        Check(
            "Coherence threshold is too low", THRESHOLD, 0.65, Move.RAISE, "A low threshold turns noise into concepts."
        ),
        Check("Sample rate is above its place", SAMPLE_RATE, 0.1, Move.LOWER, "It admits more clusters than planned."),
        Check("Minimum cluster size is too small", CLUSTER_SIZE, 3, Move.RAISE, "Pairs are no concepts."),
    ),
    steps=(
        Step(
            "Put the coherence threshold back",
            *_THRESHOLD,
            0.65,
            Move.RAISE,
            Risk.LOW,
            why="Clusters that do not hold together stop becoming concepts.",
            to_baseline=True,
        ),
        Step(
            "Sample fewer concepts",
            *_SAMPLE_RATE,
            0.05,
            Move.LOWER,
            Risk.LOW,
            why="Half of upstream's 0.1: fewer of the eligible clusters become concepts.",
        ),
        Step(
            "Ask for larger clusters",
            *_CLUSTER_SIZE,
            5,
            Move.RAISE,
            Risk.LOW,
            why="A concept then needs the evidence of five episodes.",
        ),
        Step(
            "Stop forming concepts",
            Play("set_features", CONCEPTS),
            Play("restore_features", CONCEPTS),
            value=False,
            move=Move.SET,
            risk=Risk.DISRUPTIVE,
            why="The emergency brake of this issue: no new concept is formed until it is undone.",
            emergency=True,
        ),
    ),
    verify=Verify(
        watch=timedelta(minutes=30),
        expect=(formed.settles(1.5, floor=60.0, ceiling=ALERT), memory.below(500.0)),
    ),
    escalate=(
        "If it is not recovered after the watch: run again with --allow-disruptive to stop forming concepts, "
        "and call the owner of the writing service: something floods the node with loosely similar episodes."
    ),
    drill="high-formation",
    explains=("memory-leak", "poor-recall-quality"),
)
