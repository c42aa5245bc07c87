"""Which group answers a golden query: a splitter's word stands before the node's own, and silence is no word."""

import pytest
from peers import Peer, http

from runbook.adapters.engram import EngramData
from runbook.engine.validate.golden_groups import behind, group_of
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.settings import Settings, defaults
from runbook.model.target import Node

RATE, SALT, SPACES = (f"dual_memory.treatment_{word}" for word in ("rate", "salt", "spaces"))
NODES: NodeSettings = {"a": {**defaults(), RATE: 0.0}, "b": Silence("b", "connection refused")}
SPLIT: Settings = {RATE: 0.0, SALT: "pepper", SPACES: ("ours",)}


def test_the_splitters_word_stands_in_the_place_of_the_nodes_own() -> None:
    """A node that treats nobody itself answers as treatment for whom its splitter names; a silent one stays silent."""
    found = behind({"s1": SPLIT, "s2": dict(SPLIT)}, NODES)
    known = found["a"]
    assert not isinstance(known, Silence)
    assert (group_of("ours", known), group_of("theirs", known)) == ("treatment", "control")
    assert found["b"] == NODES["b"]
    assert group_of("ours", {**known, "dual_memory.enabled": False}) == "control"
    assert behind({}, NODES) == NODES


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        ({"s1": SPLIT, "s2": Silence("s2", "timed out")}, "s2: timed out"),
        ({"s1": SPLIT, "s2": {**SPLIT, RATE: 0.5}}, "s1, s2 do not split by the same"),
    ],
)
def test_where_it_is_not_known_nobody_is_asked(splits: NodeSettings, told: str) -> None:
    """UNKNOWN with the reason, on every node: a recall of the wrong group would be judged as one of the right one."""
    found = behind(splits, NODES)
    assert [isinstance(each, Silence) and told in each.reason for each in found.values()] == [True, True]


def test_the_group_is_named_to_the_node() -> None:
    """As nginx names it; and nothing is where no splitter stands in front."""
    with Peer(lambda _: http({"memories": []})) as peer:
        data = EngramData(Node("a", peer.url))
        for group in ("treatment", ""):
            data.recall("ours", (0.0, 1.0), 3, group)
    assert [each.headers.get("x-engram-group") for each in peer.requests] == ["treatment", None]
