"""Plays on upstream Engram 0.1: whatever way they go, nothing is reported as set, and nothing of it is changed."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from upstream_fleet import COMMAND, UpstreamFleet

from runbook.adapters.ansible import AnsiblePlays
from runbook.material import playbook
from runbook.model.play import CollectRequest, HostState, PlayRequest
from runbook.model.settings import Value

FLAG = "dual_memory.enable_concepts"
RATE = "dual_memory.concept_sample_rate"
BEFORE = "# kept by hand\n[feature_flags]\nspreading_api_beta = true\n\n[dual_memory]\nenabled = true\n"


@pytest.fixture
def configuration(fleet: UpstreamFleet) -> Path:
    """The file of upstream's own command, with a section that its `config set` would drop."""
    path = fleet.config_home / "engram" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(BEFORE)
    return path


def ways(fleet: UpstreamFleet, way: str) -> None:
    """The inventory says how the nodes are changed; the command finds its file where the test has it."""
    command = ["env", f"XDG_CONFIG_HOME={fleet.config_home}", sys.executable, str(COMMAND)]
    fleet.write(engram_way=way, engram_command=command)


@pytest.mark.parametrize(
    ("way", "name", "key", "value"),
    [
        ("http", "set_features", FLAG, False),
        ("http", "set_config", RATE, 0.05),
        ("cli", "set_features", FLAG, False),
        ("cli", "restore_features", FLAG, True),
    ],
)
def test_a_setting_is_never_reported_as_set(
    fleet: UpstreamFleet, configuration: Path, way: str, name: str, key: str, value: Value
) -> None:
    """The first node fails with `not supported`, the file and the servers are as they were."""
    ways(fleet, way)
    request = PlayRequest(name, ("up-1", "up-2"), key, dict.fromkeys(("up-1", "up-2"), value), f"test-{uuid.uuid4()}")
    result = AnsiblePlays(fleet.inventory).run(request, lambda _: None)
    assert not result.done
    first = result.of("up-1")
    assert (first.state, first.old, first.read_back) == (HostState.FAILED, None, None)
    assert first.message.startswith("not supported by this node"), first
    assert not result.of("up-2").done
    assert configuration.read_text() == BEFORE
    fleet.unharmed()
    assert {method for server in fleet.servers.values() for method, _ in server.asked} <= {"GET"}


def test_nor_under_check(fleet: UpstreamFleet, configuration: Path) -> None:
    """A prediction of success would be one, too."""
    ways(fleet, "cli")
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", fleet.inventory, playbook("set_features")]
    words = ["--check", "-e", f'{{"key": "{FLAG}", "value": false}}']
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown configuration key" in done.stdout
    assert configuration.read_text() == BEFORE


def test_a_heap_is_not_supported(fleet: UpstreamFleet) -> None:
    """None, with the reason."""
    found = AnsiblePlays(fleet.inventory).collect(
        CollectRequest("collect_heap", ("up-1", "up-2"), f"test-{uuid.uuid4()}"), lambda _: None
    )
    assert [one.document for one in found] == [None, None]
    assert all("not supported by this node" in one.message for one in found)


def test_what_upstream_s_command_knows_is_read_and_set_as_it_does_it(fleet: UpstreamFleet, configuration: Path) -> None:
    """Its own key works; the price is the rest of the file, which is why nothing of ours is kept there."""
    ways(fleet, "cli")
    key = "feature_flags.spreading_api_beta"
    request = PlayRequest("set_features", ("up-1",), key, {"up-1": False}, f"test-{uuid.uuid4()}")
    (host,) = AnsiblePlays(fleet.inventory).run(request, lambda _: None).hosts
    assert (host.state, host.old, host.read_back) == (HostState.CHANGED, True, False)
    assert "[dual_memory]" not in configuration.read_text()
