"""Settings out of a file, and a node without runtime settings: the server that is changed by file and restart."""

import subprocess
import sys
from pathlib import Path

import pytest
from running_node import StartNode

CONCEPTS, THRESHOLD = "dual_memory.enable_concepts", "dual_memory.coherence_threshold"


def test_the_file_wins_over_what_is_stored(start_node: StartNode, tmp_path: Path) -> None:
    """It takes effect at the start; what it leaves out stays as it was set; without it the stored ones count again."""
    file = tmp_path / "engram.toml"
    file.write_text('[dual_memory]\nenable_concepts = false\ntreatment_spaces = ["tenant-a"]\n')
    node = start_node()
    node.admin("PATCH", "config", {THRESHOLD: 0.8})
    node.stop()
    node = start_node(node.folder, "--settings", str(file))
    assert node.admin("GET", "features").json[CONCEPTS] is False
    config = node.admin("GET", "config").json
    assert (config[THRESHOLD], config["dual_memory.treatment_spaces"]) == (0.8, ["tenant-a"])
    node.stop()
    node = start_node(node.folder)
    assert node.admin("GET", "features").json[CONCEPTS] is True
    assert node.admin("GET", "config").json[THRESHOLD] == 0.8


def test_a_node_without_runtime_settings_shows_them_in_its_metrics_only(start_node: StartNode, tmp_path: Path) -> None:
    """404 for reading and for changing, and nothing has changed; the rest of the admin plane is there."""
    file = tmp_path / "engram.toml"
    file.write_text("[dual_memory]\nenabled = false\ncoherence_threshold = 0.7\n")
    node = start_node(None, "--settings", str(file), "--no-admin-settings")
    for method, path, body in (
        ("GET", "features", None),
        ("POST", "features", {CONCEPTS: False}),
        ("GET", "config", None),
        ("PATCH", "config", {THRESHOLD: 0.9}),
    ):
        assert (node.admin(method, path, body).status, method, path) == (404, method, path)
    metrics = node.metrics()
    assert metrics[f'engram_config_value{{name="{THRESHOLD}"}}'] == 0.7
    assert metrics['engram_feature_enabled{name="dual_memory.enabled"}'] == 0
    assert metrics[f'engram_feature_enabled{{name="{CONCEPTS}"}}'] == 1
    assert node.admin("POST", "heap").status == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ("[dual_memory", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        ("enabled = false", "no table"),
        ("[dual_memory]\nenable_concept = false", "dual_memory.enable_concept"),
        ("[dual_memory]\nenabled = 0", "boolean"),
        ("[dual_memory]\ncoherence_threshold = 6.5", "out of range"),
        ("[dual_memory]\ncoherence_threshold = nan", "out of range"),
        ("[dual_memory.deeper]\nenabled = false", "dual_memory.deeper"),
    ],
)
def test_a_bad_file_ends_the_node(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    """Exit 2, one line that names the file, and no folder was made."""
    file = tmp_path / "engram.toml"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    words = ["--folder", str(tmp_path / "n"), "--port", "0", "--settings", str(file)]
    command = [sys.executable, "-m", "runbook.sandbox.node", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert said in ended.stderr
    assert str(file) in ended.stderr
    assert not (tmp_path / "n").exists()
