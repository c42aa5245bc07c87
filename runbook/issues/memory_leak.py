"""A node's memory grows and does not stop: the kernel will end it."""

from datetime import timedelta

from runbook.model.metric import Metric
from runbook.model.quantity import Sustained
from runbook.model.risk import Risk
from runbook.model.runbook import (
    Breakdown,
    Check,
    Evidence,
    Move,
    Play,
    Runbook,
    Step,
    Symptom,
    Verify,
)

CLEANUP = "dual_memory.binding_cleanup"
CACHE = "dual_memory.concept_cache_size"
CONCEPTS = "dual_memory.enable_concepts"

# The abort limits of Engram's own rollout plan, MB/h and how long they must be exceeded.
AT_ONCE, FOR_3_H, FOR_6_H = 1000.0, 500.0, 200.0
FULL = 90.0

memory = Metric("process_resident_memory_bytes").megabytes_per_hour()
killed = Metric("engram_oom_restarts_total").rise("OOM restarts")
ooms = Metric("engram_oom_restarts_total").last("OOM restarts")
collections = Metric("python_gc_collections_total").per_minute("collections/min")
fullness = Metric("process_resident_memory_bytes").share_of("engram_memory_limit_bytes")

RUNBOOK = Runbook(
    slug="memory-leak",
    title="Memory leak",
    why="Something is kept that nobody needs any more; when the node is full, the kernel ends it.",
    leading=Symptom(
        "Memory grows steadily",
        Sustained(
            (
                memory.above(AT_ONCE),
                memory.lasting(timedelta(hours=3)).above(FOR_3_H),
                memory.lasting(timedelta(hours=6)).above(FOR_6_H),
            )
        ),
        why="1 GB/h, 500 MB/h for 3 h or 200 MB/h for 6 h, by the lower end of the slope's interval; the long ones "
        "need a Prometheus that remembers.",
        alone=True,
        alert="MemoryLeak",
    ),
    supporting=(
        Symptom(
            "It runs out of memory",
            killed.above(0.0),
            why="The kernel ended the node in the window; not every kernel tells.",
            alone=True,
            optional=True,
            alert="OOMKilled",
        ),
        Symptom(
            "It ran out of memory",
            ooms.above_baseline(1.0),
            why="The kernel ended the node since it was well.",
            alert="OOMKilledSinceBaseline",
        ),
        Symptom(
            "Garbage collection is under pressure",
            collections.above_baseline(3.0, floor=60.0),
            why="The collector runs again and again because ever more is kept.",
            alert="GarbageCollectionPressure",
        ),
        Symptom(
            "The node is nearly full",
            fullness.above(FULL),
            why="Engram's own plan rolls back by itself at 90 % of a node's memory.",
            alone=True,
            optional=True,
            alert="EngramMemoryHigh",
        ),
    ),
    checks=(
        Check(
            "Binding cleanup is off",
            CLEANUP,
            good=True,
            move=Move.SET,
            hint="Bindings of forgotten episodes are never collected.",
        ),
        Check(
            "Concept cache is too large", CACHE, 1024, Move.LOWER, "Every concept that was ever recalled is kept ready."
        ),
    ),
    breakdown=Breakdown("engram_memory_bytes", "component"),
    evidence=Evidence("Heap dump", "collect_heap", apart=timedelta(seconds=5)),
    steps=(
        Step(
            "Collect dead bindings again",
            Play("set_config", CLEANUP),
            Play("restore_config", CLEANUP),
            value=True,
            move=Move.SET,
            risk=Risk.LOW,
            why="Each consolidation frees what forgotten episodes left behind.",
        ),
        Step(
            "Put the size of the concept cache back",
            Play("set_config", CACHE),
            Play("restore_config", CACHE),
            1024,
            Move.LOWER,
            Risk.LOW,
            why="The least recently used concepts leave at once; recall prepares them again when it needs them.",
            to_baseline=True,
        ),
        Step(
            "Stop forming concepts",
            Play("set_features", CONCEPTS),
            Play("restore_features", CONCEPTS),
            value=False,
            move=Move.SET,
            risk=Risk.DISRUPTIVE,
            why="The emergency brake of this issue: no concept and no binding is added until it is undone.",
            emergency=True,
        ),
    ),
    verify=Verify(watch=timedelta(minutes=30), expect=(memory.below(AT_ONCE),)),
    escalate=(
        "If it is not recovered after the watch: run again with --allow-disruptive to stop forming concepts, restart "
        "the fullest node, and send the heap dumps of the run to the developers of Engram."
    ),
    drill="memory-leak-bindings",
    alerts=("ActiveMemoryGrowthUnbounded",),
)
