"""What the production validator asks, the limits that it holds the answers to, and the rule that it recommends by.

All of it is data: it is printed with every report, and documents are made of it. Where the seed is silent the limits
are those of Engram's own rollout plan; "ours" says that nobody else gives one.
"""

from dataclasses import dataclass

from runbook.model.validation import Recommendation

PLAN = "Engram's rollout plan"


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that an interval must keep to, and where it comes from: it must stay under it (`most`), or over it."""

    value: float
    what: str
    source: str
    most: bool = True


P99_SECONDS = Limit(
    0.015, "recall p99, seconds: at most 1 % of the recalls take longer", f"{PLAN}, SLO and canary gate"
)
P99_SHARE = Limit(0.01, "share of the recalls that may take longer", "what p99 means")
LATENCY_RATIO = Limit(1.10, "typical recall latency / baseline", f"the seed's trigger; {PLAN}: +5 % to +10 %")
MEMORY_RATIO = Limit(1.15, "resident memory / baseline", f"{PLAN}, canary gate: < +15 %")
GROWTH_AT_ONCE = Limit(1000.0, "growth of memory, MB/h", f"{PLAN}, abort")
GROWTH_3_H = Limit(500.0, "growth of memory over 3 h, MB/h", f"{PLAN}, abort")
GROWTH_6_H = Limit(200.0, "growth of memory over 6 h, MB/h", f"{PLAN}, abort")
CPU_RATIO = Limit(1.15, "CPU time per recall / baseline", f"{PLAN}, shadow gate: CPU < +15 %")
TRAFFIC_RATIO = Limit(1.5, "traffic may differ from the baseline's by this factor for CPU to be compared", "ours")
RECALL_SHARE = Limit(
    0.85, "recall@10 of the golden queries, and top-10 overlap", f"{PLAN}, canary gate: top-K > 0.85", most=False
)
RECALL_DROP = Limit(0.10, "loss of recall@10 against the baseline's own answers", f"{PLAN}: top-K from 0.85 to 0.75")
CONFIDENCE_RATIO = Limit(
    0.90, "mean confidence of a recall / baseline", "the limit of `poor-recall-quality`", most=False
)
COHERENCE = Limit(0.6, "coherence that a concept should have more than", f"{PLAN}, shadow gate", most=False)
COHERENT_SHARE = Limit(0.95, "share of the concepts with more than that", f"{PLAN}, shadow gate", most=False)
FAN_DISTANCE = Limit(0.30, "greatest difference of two fan-out distributions", f"ours; {PLAN} alerts at 0.3")
FAN_HIGH = Limit(48.0, "episodes that share a concept's activation, from which on its fan is high", f"{PLAN}: 50")
FAN_HIGH_SHARE = Limit(0.10, "share of the activations with a high fan above the baseline's", "ours")
ERRORS_FLEET = Limit(0.001, "share of the fleet's recalls that fail", f"{PLAN}, SLO: < 0.1 %")
ERRORS_NODE = Limit(0.005, "share of a node's recalls that fail above the baseline's", f"{PLAN}, canary: < +0.5 pp")
CONSOLIDATION_FLEET = Limit(
    0.99, "share of the fleet's consolidation runs that succeed", f"{PLAN}, SLO: > 99 %", most=False
)
CONSOLIDATION_NODE = Limit(
    0.95, "share of a node's consolidation runs that succeed", f"{PLAN}, alert: < 95 %", most=False
)


@dataclass(frozen=True, slots=True)
class CheckKind:
    """One of the seed's eight checks. With `hurts` its FAIL hurts those who use the fleet."""

    name: str
    title: str
    why: str
    hurts: bool
    limits: tuple[Limit, ...]


LATENCY = CheckKind(
    "latency",
    "Latency regression",
    "p99 keeps its own limit by the share of recalls over it; the regression is judged by the typical recall, since "
    "a minute's p99 cannot tell 10 %.",
    hurts=True,
    limits=(P99_SECONDS, P99_SHARE, LATENCY_RATIO),
)
MEMORY = CheckKind(
    "memory",
    "Memory",
    "Resident memory against the baseline; in a soak also its slope.",
    hurts=False,
    limits=(MEMORY_RATIO, GROWTH_AT_ONCE, GROWTH_3_H, GROWTH_6_H),
)
CPU = CheckKind(
    "cpu",
    "CPU",
    "CPU time per recall, at a traffic like the baseline's.",
    hurts=False,
    limits=(CPU_RATIO, TRAFFIC_RATIO),
)
RECALL = CheckKind(
    "recall-quality",
    "Recall quality",
    "Golden queries against exact search, and not the node's own confidence alone.",
    hurts=True,
    limits=(RECALL_SHARE, RECALL_DROP, CONFIDENCE_RATIO),
)
CONCEPTS = CheckKind(
    "concept-coherence",
    "Concept coherence",
    "Concepts that do not hold together mislead recall; one without a valid coherence counts as one of them.",
    hurts=False,
    limits=(COHERENCE, COHERENT_SHARE),
)
FAN = CheckKind(
    "fan-effect",
    "Fan-effect distribution",
    "The more episodes share a concept, the less each is helped by it.",
    hurts=False,
    limits=(FAN_DISTANCE, FAN_HIGH, FAN_HIGH_SHARE),
)
ERRORS = CheckKind(
    "error-rate",
    "Error rate",
    "Recalls that were answered with an error; a process that began again by itself is not known to be well.",
    hurts=True,
    limits=(ERRORS_FLEET, ERRORS_NODE),
)
CONSOLIDATION = CheckKind(
    "consolidation",
    "Consolidation success",
    "Cycles that end well, of all that were run.",
    hurts=False,
    limits=(CONSOLIDATION_FLEET, CONSOLIDATION_NODE),
)
CHECKS = (LATENCY, MEMORY, CPU, RECALL, CONCEPTS, FAN, ERRORS, CONSOLIDATION)


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from the checks; the first rule that fits is the one."""

    when: str
    then: Recommendation


ROLL_BACK_RULE = Rule(
    f"a check that hurts users fails ({', '.join(each.name for each in CHECKS if each.hurts)})",
    Recommendation.ROLL_BACK,
)
FAIL_RULE = Rule("another check fails", Recommendation.HOLD)
UNKNOWN_RULE = Rule("a check is UNKNOWN", Recommendation.HOLD)
PASS_RULE = Rule("all eight checks pass", Recommendation.PROCEED)
RULES = (ROLL_BACK_RULE, FAIL_RULE, UNKNOWN_RULE, PASS_RULE)

CONFIDENCE = 0.95
"""Of all looks of one validation together: an interval is missed in 5 % of the cases at most."""
LOOKS = (1, 3, 6)
"""When it looks, in windows: at the end of the first, and where that settles too little, of the third and the sixth."""
