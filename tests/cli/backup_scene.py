"""What the tests of backups have in common."""

import os
from pathlib import Path
from typing import Any

from command_line import Output, document, plain_environment
from running_node import RunningNode


def backups(state: Path) -> list[str]:
    """The names in the folder, hidden ones too, sorted."""
    return sorted(path.name for path in (state / "backups").iterdir() if path.name != ".known")


def created(capsys: Output, *words: str) -> str:
    """The name of a backup that was made now."""
    told = document(capsys, "backup", "create", *words)["data"]
    assert told["fresh"]
    return str(told["proofs"][0]["backup"]["name"])


def environment_of(state: Path) -> dict[str, str]:
    """For a process of its own, with this test's state and configuration."""
    return plain_environment(state) | {"RUNBOOK_CONFIG": os.environ["RUNBOOK_CONFIG"]}


def remembered(node: RunningNode, content: str) -> str:
    """The id under which the node remembers that."""
    reply = node.remember(content)
    assert reply.status == 201
    return str(reply.json["memory_id"])


def forget(node: RunningNode, id_: str) -> None:
    """Have the node forget it."""
    assert node.ask("DELETE", f"/api/v1/memories/{id_}").status == 200


def has(node: RunningNode, id_: str) -> bool:
    """Does the node serve it?"""
    return node.ask("GET", f"/api/v1/memories/{id_}").status == 200


def generations(node: RunningNode) -> dict[str, Any]:
    """By state."""
    return {each["state"]: each for each in node.admin("GET", "generations").json["generations"]}


def drop_staging(node: RunningNode) -> None:
    """Nothing is being prepared any more."""
    staging = generations(node).get("staging")
    if staging:
        assert node.admin("DELETE", f"generations/{staging['id']}").status == 200
