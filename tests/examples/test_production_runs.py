"""The page about production is walked: real nodes, nginx, Prometheus, Alertmanager and server, on free ports."""

import getpass
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from console import Example, examples_of, missing, run_all
from peers import closed_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "production.md"
PORTS = ("8081", "8082", "8083", "8787", "9090", "9093")
NEEDED = ("nginx", "prometheus", "prometheus-alertmanager", "jq", "curl")
PATIENCE_SECONDS = 400


def on_free_ports(examples: Iterable[Example]) -> list[Example]:
    """The same commands, with another port wherever one is named, in the written examples of configurations too."""
    free = {port: str(closed_port()) for port in PORTS}
    assert len(set(free.values())) == len(PORTS)
    moved = " ".join(f"-e s/:{port}/:{free[port]}/" for port in ("8787", "9093"))
    found = []
    for each in examples:
        command = re.sub("|".join(PORTS), lambda port: free[port[0]], each.command)
        if command.startswith("runbook monitoring write"):
            command += f" && sed -i {moved} monitoring/*.yml"
        found.append(replace(each, command=command))
    return found


@pytest.mark.end_to_end
@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_from_nothing_to_a_watched_rollout(tmp_path: Path) -> None:
    """Each command ends as the page says, in order: splitter, metrics, webhook, plan, watch, page, and back."""
    path = "/usr/sbin:/usr/bin:/usr/local/bin"
    if lacking := [name for name in NEEDED if not (shutil.which(name) or shutil.which(name, path=path))]:
        pytest.skip(f"not installed: {', '.join(lacking)} (make setup installs them as root)")
    (tmp_path / "out").mkdir()
    examples = on_free_ports(examples_of(PAGE))
    session = run_all(examples, tmp_path, tmp_path / "out", PATIENCE_SECONDS)
    last = session[-1]
    assert last.exit_code == last.example.exit_code, "\n".join([str(last.example), *last.printed, last.talk])
    assert len(session) == len(examples) >= 40
    who = getpass.getuser()
    wrong = {str(each.example): missing(each.example.shown, each.printed, who) for each in session}
    assert {command: why for command, why in wrong.items() if why} == {}
