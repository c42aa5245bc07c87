"""Dual memory in five phases over twelve weeks: the seed's plan, every number of it as it stands there.

Where the seed names no limit, it is that of Engram's own rollout plan (its phases 0 to 5, its objectives, its automatic
and manual triggers); each `why` says which.
"""

from datetime import timedelta

from runbook.model.judgement import Guardrail
from runbook.model.judgement import Metric as Judged
from runbook.model.metric import Metric
from runbook.model.quantity import Sustained
from runbook.model.rollout import Approvals, Criterion, Fresh, Judging, Phase, RolloutPlan, Trigger, Tripwire

ENABLED = "dual_memory.enabled"
CONCEPTS = "dual_memory.enable_concepts"
BLENDED = "dual_memory.use_blended_recall"
WEIGHT = "dual_memory.semantic_weight"

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
TREATMENT, CONTROL = (("group", "treatment"),), (("group", "control"),)
RECALLS = "engram_recall_total"

formed = Metric("engram_concepts_formed_total").per_minute("concepts/min")
coherence = Metric("engram_concept_coherence").quantile(0.05, "coherence")
bindings = Metric("engram_bindings").share_of("engram_episodes")
consolidation = Metric("engram_consolidation_duration_seconds").quantile(0.99)
cycles = "engram_consolidation_runs_total"
failed_cycles = Metric(cycles, (("outcome", "failure"),)).part_of(cycles)
resident = Metric("process_resident_memory_bytes").last("bytes")
growth = Metric("process_resident_memory_bytes").megabytes_per_hour()
fullness = Metric("process_resident_memory_bytes").share_of("engram_memory_limit_bytes")
killed = Metric("engram_oom_restarts_total").rise("OOM restarts")
processor = Metric("process_cpu_seconds_total").per_minute("CPU s/min")
recall_p99 = Metric("engram_recall_duration_seconds").quantile(0.99)
errors = Metric("engram_recall_errors_total").part_of(RECALLS)
treated_errors = Metric("engram_recall_errors_total", TREATMENT).part_of(RECALLS, TREATMENT)
latency = Metric("engram_recall_duration_seconds", TREATMENT).mean_against(CONTROL, "x control's mean latency")
confidence = Metric("engram_recall_confidence", TREATMENT).mean_against(CONTROL, "x control's mean confidence")

OBJECTIVE, ALERT = 0.015, 0.020
"""Seconds that the p99 of recall may take: Engram's objective, and its automatic trigger."""

MEMORY_GROWS = Trigger(
    "Memory grows steadily",
    Sustained(
        (growth.above(1000.0), growth.lasting(3 * HOUR).above(500.0), growth.lasting(6 * HOUR).above(200.0)),
    ),
    why="Engram's rollout plan: 1 GB/h (phase 0), 500 MB/h for 3 h (phase 1), 200 MB/h for 6 h (phase 3).",
)
MEMORY_FULL = Trigger(
    "The node is nearly full",
    fullness.above(90.0),
    why="Engram's automatic trigger: memory above 90 % of the node; not every node has a limit.",
)
KILLED = Trigger(
    "A node was killed for want of memory",
    killed.above(0.0),
    why="Engram's automatic trigger: crash; not every kernel tells.",
)
CYCLES_FAIL = Trigger(
    "Consolidation fails",
    failed_cycles.above(10.0),
    HOUR,
    "Engram's manual trigger: under 90 % success for 1 h; its phase 1 breaks off at more than 10 % failed cycles.",
)
ERRORS = Trigger(
    "Recalls fail",
    errors.above(1.0),
    timedelta(minutes=10),
    "Engram's automatic trigger: errors above 1 % for 10 min.",
)
SLOW = Trigger(
    "Recall is far too slow",
    recall_p99.above_baseline(1.10, floor=ALERT),
    timedelta(minutes=15),
    "Engram's automatic trigger: p99 above 20 ms for 15 min; a fleet that was as slow before has to be 10 % slower.",
)
SLOWER = Trigger(
    "Recall is more than 10 % slower than before",
    recall_p99.above_baseline(1.10, floor=OBJECTIVE),
    3 * HOUR,
    "Engram's phase 2: p99 above +10 % for 3 h; under 15 ms, its objective, it is fast enough.",
)
EVERYWHERE = (MEMORY_GROWS, MEMORY_FULL, KILLED, CYCLES_FAIL, ERRORS, SLOW)

# Plain thresholds, as Engram's alerts are; with intervals the validator asks both, before any stage is left.
FEW_ERRORS = Criterion("Errors are rare", errors.settles(1.0, floor=0.5), "Engram's objective: an alert from 0.5 % on.")
CYCLES_WORK = Criterion(
    "Consolidation succeeds", failed_cycles.settles(1.0, floor=5.0), "Engram's objective: an alert under 95 % success."
)


def _memory(factor: float, source: str) -> Criterion:
    return Criterion("Memory is within its bounds", resident.settles(factor, floor=0.0), source)


SHADOW = Phase(
    name="shadow",
    title="Shadow mode (weeks 1 and 2)",
    why="Concepts are formed in the background; no recall is changed, so nobody can notice but the machines.",
    flags={ENABLED: True, CONCEPTS: True, BLENDED: False},
    minimum=2 * WEEK,
    maximum=3 * WEEK,
    criteria=(
        Criterion("Concepts form calmly", formed.below(1000 / 60), "Engram's phase 1: under 1000 an hour."),
        Criterion("Concepts hold together", coherence.above(0.6), "Engram's phase 1: above 0.6 for 95 % of them."),
        Criterion("Bindings are bounded", bindings.below(200.0), "Engram's phase 1: under 2.0 for each episode."),
        _memory(1.10, "Engram's phase 1: memory under +10 %."),
        Criterion(
            "Consolidation keeps up",
            consolidation.settles(1.20, floor=0.020, ceiling=5.0),
            "Engram's phase 1: p99 under 5 s and under +20 %; under 20 ms nobody is held up.",
        ),
        Criterion("The processor is not busier", processor.settles(1.15, floor=0.0), "Engram's phase 1: under +15 %."),
        Criterion(
            "Recall is as fast as before",
            recall_p99.settles(1.02, floor=OBJECTIVE),
            "Engram's phase 1: p99 changes by less than 2 %; under 15 ms, its objective, it is fast enough.",
        ),
        FEW_ERRORS,
        CYCLES_WORK,
    ),
    triggers=(
        *EVERYWHERE,
        Trigger(
            "Concepts form far too fast",
            formed.above(5000 / 60),
            timedelta(minutes=15),
            "Engram's alert of phase 1: above 5000 an hour for 15 min.",
        ),
        Trigger(
            "Recall is slower than before",
            recall_p99.above_baseline(1.05, floor=ALERT),
            3 * HOUR,
            "Engram's phase 1: p99 above +5 %; not under 20 ms, which is its automatic limit.",
        ),
    ),
    validated=True,
)

INTERNAL = Phase(
    name="internal",
    title="Internal testing (weeks 3 and 4)",
    why="Spaces of people who know about it are recalled through concepts too, with a low weight.",
    flags={ENABLED: True, CONCEPTS: True, BLENDED: True},
    settings={WEIGHT: 0.10},
    names_spaces=True,
    minimum=2 * WEEK,
    maximum=3 * WEEK,
    criteria=(
        Criterion("Latency is within 10 %", latency.below(1.10), "The seed's own limit for this phase."),
        Criterion("Recall is as sure", confidence.above(0.95), "Engram calls 5 % of quality a regression."),
        Criterion("Errors are rare where it is on", treated_errors.settles(1.0, floor=0.5), "As for all."),
        _memory(1.15, "Engram's phase 2: memory under +15 %."),
        FEW_ERRORS,
        CYCLES_WORK,
    ),
    triggers=(
        *EVERYWHERE,
        Trigger(
            "Latency is more than 10 % up",
            latency.above(1.10),
            HOUR,
            "The seed: roll back on more than 10 %. Treatment against control; the whole interval, for an hour.",
        ),
    ),
    tripwire=Tripwire(),
    fresh=Fresh(backup=DAY, rehearsal=30 * DAY),
    complaints=4,
    complaints_roll_back=6,
    validated=True,
)

GUARDRAILS = (
    Guardrail(Judged.LATENCY, 0.10),  # the seed's own trigger
    Guardrail(Judged.ERRORS, 0.005),  # Engram's phase 2: under +0.5 percentage points
    Guardrail(Judged.SLOW, 0.01),  # one recall in a hundred: what a p99 stands for
    Guardrail(Judged.CONFIDENCE, 0.05),  # Engram calls 5 % of quality a regression
)

CANARY = Phase(
    name="canary",
    title="Canary (weeks 5 and 6)",
    why="One space in a hundred, by chance, against the others; and people are asked how they find it.",
    flags={ENABLED: True, CONCEPTS: True, BLENDED: True},
    settings={WEIGHT: 0.3},
    shares=(0.01,),
    minimum=2 * WEEK,
    maximum=3 * WEEK,
    criteria=(_memory(1.15, "Engram's phase 2: memory under +15 %."), FEW_ERRORS, CYCLES_WORK),
    triggers=(*EVERYWHERE, SLOWER),
    tripwire=Tripwire(),
    judging=Judging(GUARDRAILS, look_every=DAY),
    approvals=Approvals(people=1),
    fresh=Fresh(backup=DAY, rehearsal=30 * DAY),
    complaints=4,
    complaints_roll_back=6,
    validated=True,
)

GRADUAL = Phase(
    name="gradual",
    title="Gradual rollout (weeks 7 to 10)",
    why="More and more spaces, each level held for 48 hours; 5 % stay control until everyone has it.",
    flags={ENABLED: True, CONCEPTS: True, BLENDED: True},
    settings={WEIGHT: 0.3},
    shares=(0.05, 0.25, 0.50, 1.0),
    hold=2 * DAY,
    maximum=4 * WEEK,
    criteria=(_memory(1.30, "Engram's phase 3: memory under +30 %."), FEW_ERRORS, CYCLES_WORK),
    triggers=(*EVERYWHERE, SLOWER),
    tripwire=Tripwire(),
    judging=Judging(GUARDRAILS, look_every=DAY),
    approvals=Approvals(people=1),
    fresh=Fresh(backup=DAY, rehearsal=30 * DAY),
    complaints=4,
    complaints_roll_back=6,
    validated=True,
)

OPTIMISATION = Phase(
    name="optimisation",
    title="Optimisation (weeks 11 and 12)",
    why="Parameters are tuned by what production showed; what was learned is written down (`runbook rollout report`).",
    flags={ENABLED: True, CONCEPTS: True, BLENDED: True},
    shares=(1.0,),
    minimum=2 * WEEK,
    maximum=3 * WEEK,
    criteria=(_memory(1.40, "Engram's phase 4: memory under +40 %."), FEW_ERRORS, CYCLES_WORK),
    triggers=(*EVERYWHERE, SLOWER),
    tripwire=Tripwire(),
    fresh=Fresh(backup=DAY, rehearsal=30 * DAY),
    complaints=4,
    complaints_roll_back=6,
    validated=True,
)

PLAN = RolloutPlan(
    name="dual-memory",
    title="Dual memory, by phases over twelve weeks",
    phases=(SHADOW, INTERNAL, CANARY, GRADUAL, OPTIMISATION),
)
