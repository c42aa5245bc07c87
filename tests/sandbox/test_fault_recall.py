"""Poor recall by its two causes, on a real node: the symptom, the action that cures it, the one that does not."""

import random
from itertools import islice

import pytest
from running_node import RunningNode, StartNode, wait_until

from runbook.sandbox.texts.generate import query_of, spaces_of, texts_of

SPACES = spaces_of(0)[:4]
WEIGHT, THRESHOLD = "dual_memory.semantic_weight", "dual_memory.coherence_threshold"
BLENDED, CONCEPTS = "dual_memory.use_blended_recall", "dual_memory.enable_concepts"
CONFIDENCE = 'engram_recall_confidence_{}{{group="treatment"}}'
SHARE, COHERENCE = "engram_recall_semantic_share_{}", "engram_concept_coherence_{}"


@pytest.fixture(scope="module")
def node(start_shared_node: StartNode) -> RunningNode:
    """A node with texts in four spaces, of which concepts were made."""
    found = start_shared_node(consolidation_seconds=0.2)
    found.admin(
        "POST", "features", {CONCEPTS: False}
    )  # else texts that come slowly are given up before others like them
    for space in SPACES:
        found.ask("POST", "/api/v1/spaces", {"id": space})
        for text in islice(texts_of(space, 1), 30):
            assert found.remember(text.content, space, id=text.id).status == 201  # which are sampled depends on ids
    found.admin("POST", "features", {CONCEPTS: True})
    found.settle()
    assert sum(size["concepts"] for size in found.health()["spaces"]) > 0
    return found


def asked(node: RunningNode) -> dict[str, float]:
    """The same questions each time: the means of what the node's histograms counted meanwhile."""
    source, before = random.Random(1), node.metrics()
    for space in SPACES:
        for text in islice(texts_of(space, 7), 15):
            assert node.recall(query_of(text, source), space, max_results=3).status == 200
    after = node.metrics()

    def mean(name: str) -> float:
        total, count = (after[name.format(part)] - before.get(name.format(part), 0.0) for part in ("sum", "count"))
        return total / count if count else 0.0

    return {"confidence": mean(CONFIDENCE), "share": mean(SHARE)}


def coherence_since(node: RunningNode, before: dict[str, float]) -> float:
    """The mean coherence of the concepts formed since."""
    after = node.metrics()
    total, count = (after[COHERENCE.format(part)] - before[COHERENCE.format(part)] for part in ("sum", "count"))
    assert count > 0
    return total / count


def test_a_skewed_weight(node: RunningNode) -> None:
    """Confidence falls, and the share of the concepts rises; the weight cures it, a strict threshold does not."""
    well = asked(node)
    node.admin("POST", "chaos/poor-recall")
    assert node.admin("GET", "config").json[WEIGHT] == 0.95
    ill = asked(node)
    assert ill["confidence"] < 0.85 * well["confidence"]
    assert ill["share"] > well["share"]
    node.admin("PATCH", "config", {THRESHOLD: 0.8})
    assert asked(node)["confidence"] < 0.85 * well["confidence"]
    node.admin("PATCH", "config", {WEIGHT: 0.3, THRESHOLD: 0.65})
    assert asked(node)["confidence"] == pytest.approx(well["confidence"], rel=0.02)
    node.admin("DELETE", "chaos/poor-recall")
    assert node.admin("GET", "config").json[WEIGHT] == 0.3


def test_incoherent_concepts(node: RunningNode) -> None:
    """Concepts form that do not hold together, in the spaces that are recalled; confidence falls through them.

    Without blended recall it is back at once; with the threshold it comes back as the notes are forgotten; the weight,
    set to what it is, changes nothing.
    """
    well, before = asked(node), node.metrics()
    node.admin("POST", "chaos/poor-recall-concepts", {"keep_seconds": 6})
    wait_until(lambda: asked(node)["confidence"] < 0.85 * well["confidence"], "confidence does not fall", 30)
    assert coherence_since(node, before) < 0.5
    node.admin("PATCH", "config", {WEIGHT: 0.3})
    assert asked(node)["confidence"] < 0.87 * well["confidence"]
    node.admin("POST", "features", {BLENDED: False})
    assert asked(node)["confidence"] > 0.95 * well["confidence"]
    node.admin("POST", "features", {BLENDED: True})
    assert asked(node)["confidence"] < 0.87 * well["confidence"]
    node.admin("PATCH", "config", {THRESHOLD: 0.65})
    wait_until(lambda: asked(node)["confidence"] > 0.95 * well["confidence"], "confidence does not come back", 40)
    assert [fault["fault"] for fault in node.admin("GET", "chaos").json["active"]] == ["poor-recall-concepts"]
    node.admin("DELETE", "chaos/poor-recall-concepts")
    assert sum(size["episodes"] for size in node.health()["spaces"]) == 30 * len(SPACES), "no note is left behind"
    assert node.admin("GET", "config").json[THRESHOLD] == 0.65
