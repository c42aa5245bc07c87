"""Real text: the Jargon File in one space of one node, and a look at the concepts that form of it.

The entries are much looser than the seeded texts, so the threshold is lower here and every eligible cluster is taken.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.loading import load_texts
from runbook.sandbox.fleet.record import FleetRequest, NodeRecord
from runbook.sandbox.fleet.rest import rest
from runbook.sandbox.fleet.talk import Silent
from runbook.sandbox.fleet.up import up
from runbook.sandbox.texts.read import read_file

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

JARGON = Path("/usr/share/dictd/jargon.dict.dz")
SETTINGS = {"dual_memory.coherence_threshold": 0.3, "dual_memory.concept_sample_rate": 1.0}
SPACE = "jargon-file"
# Words that any two entries may share, and that say nothing.
EMPTY = set(
    re.findall(
        r"\w+",
        """about after also because been being common compare computer from hackers have into more most often only other
        over some such term than that their them then there these they this used usually when where which with would""",
    )
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FleetFolder, NodeRecord]]:
    """A node that has read the whole file and is at rest."""
    if not JARGON.exists() and not os.environ.get("CI"):
        pytest.skip("dict-jargon is not installed")
    folder = FleetFolder(tmp_path_factory.mktemp("state"))
    record, _ = up(folder, FleetRequest(nodes=1, episodes=0), Silent())
    (node,) = record.nodes
    with NodeClient(node.port, folder.token(node.name)) as client:
        client.demand("PATCH", "/api/v1/admin/config", SETTINGS)
    load_texts(folder, record.nodes, read_file(JARGON), SPACE, Silent())
    rest(folder, record.nodes, Silent())
    yield folder, node
    down(folder)


@pytest.fixture(scope="module")
def concepts(node: tuple[FleetFolder, NodeRecord]) -> list[dict[str, Any]]:
    """What formed, with the texts of the members."""
    folder, record = node
    with NodeClient(record.port, folder.token(record.name)) as client:
        found: list[dict[str, Any]] = client.demand("GET", "/api/v1/admin/concepts?limit=1000").document["concepts"]
    return found


def content_words(text: str) -> set[str]:
    """The words of a text that say something, without the plural's s."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", text.lower())} - EMPTY


def test_every_entry_is_an_episode(node: tuple[FleetFolder, NodeRecord]) -> None:
    """About 2300 of them."""
    _, record = node
    with NodeClient(record.port) as client:
        spaces = client.demand("GET", "/api/v1/system/health").document["spaces"]
    (episodes,) = (space["episodes"] for space in spaces if space["space"] == SPACE)
    assert 2250 < episodes < 2350


def test_concepts_form_and_make_sense_to_a_person(concepts: list[dict[str, Any]]) -> None:
    """The members of nearly every concept have a word in common that says what it is about."""
    assert len(concepts) >= 10
    named = 0
    for concept in concepts:
        texts = [member["content"] for member in concept["members"]]
        assert len(texts) >= 3
        counts = Counter(word for text in texts for word in content_words(text))
        word, count = counts.most_common(1)[0] if counts else ("-", 0)
        named += count >= 0.6 * len(texts)
        print(f"{concept['coherence']:.2f} {word}: {' | '.join(text[:40] for text in texts)}")  # noqa: T201 - looked at by people
    assert named >= 0.9 * len(concepts)


def test_a_recall_finds_the_entry_that_is_meant(node: tuple[FleetFolder, NodeRecord]) -> None:
    """By words of its definition, without its headword."""
    _, record = node
    with NodeClient(record.port) as client:
        path = "/api/v1/memories/recall?query=null+device+used+as+a+data+sink+black+hole&max_results=5"
        memories = client.demand("GET", path, space=SPACE).document["memories"]
    assert any(memory["content"].startswith("/dev/null") for memory in memories)
