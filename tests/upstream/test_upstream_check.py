"""`runbook check --target` against upstream Engram 0.1: what that server lacks is named, and it is left as it was."""

import json

import pytest
from upstream_fleet import UpstreamFleet

from runbook.cli.root import run


def test_it_says_what_the_server_lacks(fleet: UpstreamFleet, capsys: pytest.CaptureFixture[str]) -> None:
    """Admin paths are not there, the memories are; what an idle server says of its metrics is UNKNOWN, not NO."""
    assert run(["check", "--target", "up", "--json"]) == 3
    nodes = json.loads(capsys.readouterr().out)["data"]["nodes"]
    answers = {each["name"]: each["answer"] for each in nodes if each["node"] == "up-1"}
    assert answers["POST /api/v1/admin/features"] == "NO"
    assert answers["GET /api/v1/admin/cells"] == "NO"
    assert answers["GET /health"] == "YES"
    assert answers["engram_concepts_formed_total"] in {"NO", "UNKNOWN"}
    fleet.unharmed()
