"""What a proxy that splits the traffic says in `X-Engram-Group` wins over what the node would do by itself."""

from typing import Any

import pytest
from running_node import RunningNode, StartNode

RECALL = "/api/v1/memories/recall?query=anything"


@pytest.fixture(scope="module")
def node(start_shared_node: StartNode) -> RunningNode:
    """One that treats nobody but the space `named`."""
    found = start_shared_node()
    for space in ("named", "other"):
        assert found.ask("POST", "/api/v1/spaces", {"id": space}).status == 201
    change(found, **{"dual_memory.treatment_rate": 0, "dual_memory.treatment_spaces": ["named"]})
    return found


def change(node: RunningNode, **values: Any) -> None:
    """Set some of its tunables."""
    assert node.admin("PATCH", "config", values).status == 200


def group(node: RunningNode, space: str, said: str | None) -> Any:
    """Whom the node says that it served the space as."""
    headers = {} if said is None else {"X-Engram-Group": said}
    return node.ask("GET", RECALL, headers=headers, space=space).json["group"]


def test_the_header_wins_over_share_and_named_spaces(node: RunningNode) -> None:
    """In both directions; without it the node decides."""
    assert [group(node, "other", said) for said in (None, "treatment", "control")] == [
        "control",
        "treatment",
        "control",
    ]
    assert [group(node, "named", said) for said in (None, "treatment", "control")] == [
        "treatment",
        "treatment",
        "control",
    ]


@pytest.mark.parametrize("said", ["", "TREATMENT", "treatment,control", "treatment; drop", "x" * 4000, "\xfc"])
def test_garbage_says_nothing(node: RunningNode, said: str) -> None:
    """The node decides as if it were not there."""
    assert group(node, "other", said) == "control"
    assert group(node, "named", said) == "treatment"


def test_cells_and_metrics_carry_the_group_of_the_header(node: RunningNode) -> None:
    """So that the judge counts a space where it was really served."""
    assert node.ask("POST", "/api/v1/spaces", {"id": "counted"}).status == 201
    for said in ("treatment", "treatment", "control"):
        group(node, "counted", said)
    rows = node.admin("GET", "cells").json["cells"]
    counted: dict[str, int] = {}
    for row in rows:
        if row["space"] == "counted":
            counted[row["group"]] = counted.get(row["group"], 0) + row["n"]
    assert counted == {"treatment": 2, "control": 1}
    samples = node.metrics()
    assert samples['engram_recall_total{group="treatment",space="counted"}'] == 2
    assert samples['engram_recall_total{group="control",space="counted"}'] == 1


def test_a_flag_that_is_off_wins_over_the_header(node: RunningNode) -> None:
    """The brake stops treatment whatever a proxy goes on saying."""
    assert node.admin("POST", "features", {"dual_memory.enabled": False}).status == 200
    try:
        assert group(node, "other", "treatment") == "control"
    finally:
        assert node.admin("POST", "features", {"dual_memory.enabled": True}).status == 200
