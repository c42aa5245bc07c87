"""Recall answers with less confidence than it did: users get the wrong memories."""

from datetime import timedelta

from runbook.model.metric import Metric
from runbook.model.quantity import Reported
from runbook.model.risk import Risk
from runbook.model.runbook import Check, Move, Play, Review, Runbook, Step, Symptom, Verify

WEIGHT = "dual_memory.semantic_weight"
THRESHOLD = "dual_memory.coherence_threshold"
CLUSTER_SIZE = "dual_memory.min_cluster_size"
BLENDED = "dual_memory.use_blended_recall"

TREATMENT = (("group", "treatment"),)
CONTROL = (("group", "control"),)

# The group that is recalled through concepts: in a canary of 1 % the mean over all spaces would not move.
confidence = Metric("engram_recall_confidence", TREATMENT).mean("mean confidence")
against_control = Metric("engram_recall_confidence", TREATMENT).mean_against(CONTROL, "x control's mean confidence")
coherence = Metric("engram_concept_coherence").mean("mean coherence")

RUNBOOK = Runbook(
    slug="poor-recall-quality",
    title="Poor recall quality",
    why="Recall leans on concepts that do not deserve it: too much weight, or concepts that do not hold together.",
    leading=Symptom(
        "Confidence scores are lower",
        # Engram's own plan calls 5 % of accuracy a regression; 10 % is beyond what an hour's other questions do. There
        # is no limit without a baseline: what confidence is usual depends on the embeddings.
        confidence.below_baseline(0.9),
        why="The mean confidence of a recall in the treatment group, against the same when the fleet was well.",
        alone=True,
        alert="PoorRecallQuality",
    ),
    supporting=(
        Symptom(
            "Users complain",
            Reported("complaints", "complaints", 3),
            why="Only people can know it: say how many complaints there are with --complaints N.",
        ),
        Symptom(
            "The A/B test shows a regression",
            against_control.below(0.95),
            why="Treatment against control in the same minutes: the whole interval is under 95 %. A look, no verdict.",
            alone=True,
            alert="RecallWorseThanControl",
        ),
        Symptom(
            "New concepts are less coherent",
            coherence.below_baseline(0.9, bottom=0.5),
            why="0.5 is Engram's own alert on coherence.",
            alert="ConceptCoherenceLow",
        ),
    ),
    checks=(
        Check("Semantic weight is out of balance", WEIGHT, 0.3, Move.LOWER, "Concepts outvote the episodes."),
        Check(
            "Coherence threshold is too low", THRESHOLD, 0.65, Move.RAISE, "A low threshold turns noise into concepts."
        ),
        Check("Minimum cluster size is too small", CLUSTER_SIZE, 3, Move.RAISE, "Pairs are no concepts."),
    ),
    review=Review(
        "Recent concepts are weak",
        within=timedelta(hours=24),
        most=20,
        share=0.2,
        coherence_key=THRESHOLD,
        size_key=CLUSTER_SIZE,
    ),
    steps=(
        Step(
            "Put the semantic weight back",
            Play("set_config", WEIGHT),
            Play("restore_config", WEIGHT),
            0.3,
            Move.LOWER,
            Risk.LOW,
            why="Episodes count again as much as when recall was well.",
            to_baseline=True,
        ),
        Step(
            "Put the coherence threshold back",
            Play("set_config", THRESHOLD),
            Play("restore_config", THRESHOLD),
            0.65,
            Move.RAISE,
            Risk.LOW,
            why="No more concepts that do not hold together; those that are there stay.",
            to_baseline=True,
        ),
        Step(
            "Put the cluster size back",
            Play("set_config", CLUSTER_SIZE),
            Play("restore_config", CLUSTER_SIZE),
            3,
            Move.RAISE,
            Risk.LOW,
            why="A concept needs the evidence of several episodes again.",
            to_baseline=True,
        ),
        Step(
            "Recall without concepts",
            Play("set_features", BLENDED),
            Play("restore_features", BLENDED),
            value=False,
            move=Move.SET,
            risk=Risk.DISRUPTIVE,
            why="The rollback of this issue: weak concepts that are there already no longer count in any recall.",
            emergency=True,
        ),
    ),
    verify=Verify(watch=timedelta(minutes=30), expect=(confidence.regains(0.9),)),
    escalate=(
        "If it is not recovered after the watch: run again with --allow-disruptive to recall without concepts, or, if "
        "it is severe, runbook rollback features. Then call the owner of the rollout, with the weak concepts above."
    ),
    drill="poor-recall",
    alerts=("RecallAccuracyLow",),
)
