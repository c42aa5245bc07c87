"""What a command loads: a command starts fast because it loads what it uses, and nothing else."""

import json
import subprocess
import sys

import pytest
from command_line import plain_environment

TYPED = """
import contextlib, io, json, sys
from runbook.cli.root import run
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(words) in {0, 4}, words
    print(json.dumps(sorted(sys.modules)))
"""
"""The commands one after another in one process; behind each what is loaded by now, so the lightest comes first."""
CONFIG = """
version = 1
[targets.there]
inventory = "hosts.yml"
environment = "test"
"""
HOSTS = """
all:
  hosts:
    one: {engram_url: "http://127.0.0.1:9"}
"""
ALWAYS_HEAVY = {"numpy", "jsonschema", "asyncio", "urllib3", "http.client", "ssl", "tenacity", "prometheus_client"}
ACTING = {"runbook.adapters.ansible", "runbook.adapters.brake", "runbook.engine.carry", "runbook.engine.watch"}
DATA = {"runbook.archive.reader", "runbook.model.conversion", "runbook.model.generation", "runbook.model.cells"}
PLANNED = {"runbook.model.play", "runbook.model.quantity", "runbook.model.rollout", "runbook.model.measurement"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """By command, what a process has loaded once that one was carried out, too."""
    folder = tmp_path_factory.mktemp("start-up")
    (folder / "hosts.yml").write_text(HOSTS)
    config = folder / "runbook.toml"
    config.write_text(CONFIG)
    commands = {
        "help": ["--help"],
        "audit": ["audit", "verify"],
        "status": ["rollout", "status", "--target", "there", "--config", str(config)],
    }
    done = subprocess.run(
        [sys.executable, "-c", TYPED, json.dumps(list(commands.values()))],
        env=plain_environment(folder / "state"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(zip(commands, map(set, map(json.loads, done.stdout.splitlines())), strict=True))


def test_the_help_loads_click_and_the_names_of_the_commands(loaded: dict[str, set[str]]) -> None:
    """No command, no model, no configuration."""
    assert not {"dataclasses", "orjson", "runbook.model", "runbook.config"} & loaded["help"]


def test_who_reads_the_journal_loads_no_network_no_plans_and_no_data(loaded: dict[str, set[str]]) -> None:
    """Ports name the model for the type checker only: else every command would load all of it."""
    assert "runbook.ports" in loaded["audit"]
    assert not (ALWAYS_HEAVY | ACTING | DATA | PLANNED | {"yaml", "runbook.model.run"}) & loaded["audit"]


def test_who_looks_at_a_rollout_loads_nothing_that_acts(loaded: dict[str, set[str]]) -> None:
    """Nobody is asked, and the brake is not at hand."""
    assert {"yaml", "runbook.model.rollout"} <= loaded["status"]
    assert not (ALWAYS_HEAVY | ACTING | {"runbook.archive.reader", "runbook.model.conversion"}) & loaded["status"]
