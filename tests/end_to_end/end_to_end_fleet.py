"""The real `runbook` command in a state folder of its own, and a real fleet that is sick."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forked import can_fork, run_forked

HERE = [sys.executable, "-m", "runbook"]


@dataclass(frozen=True)
class Command:
    """The real command, run from a folder that holds no configuration."""

    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """This process's, less what would name another target, plus the state folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
        return kept | {"RUNBOOK_STATE": str(self.state), "COLUMNS": "200"}

    @property
    def words(self) -> list[str]:
        """How to start it."""
        return HERE

    def __call__(self, *arguments: str, expect: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it and insist on its exit code."""
        done = self.run(*arguments, **options)
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run(
        self, *arguments: str, prefix: Sequence[str] = (), words: Sequence[str] = (), **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with something in front of it, or with other words to start it; it is forked without.

        Another installation's is never forked: what is forked is of this one.
        """
        environment = self.environment | options.pop("environment", {})
        if self.words == HERE and not (prefix or words or options) and can_fork(environment):
            return run_forked(arguments, environment, self.state, 250)
        return subprocess.run(
            [*prefix, *(words or self.words), *arguments],
            env=environment,
            cwd=self.state,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
            **options,
        )

    def json(self, *arguments: str, expect: int = 0) -> dict[str, Any]:
        """Run it with `--json`; the document on stdout."""
        document: dict[str, Any] = json.loads(self(*arguments, "--json", expect=expect).stdout)
        return document

    def start(self, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start it in the background, in a process group of its own."""
        return subprocess.Popen(
            [*prefix, *self.words, *arguments],
            env=self.environment,
            cwd=self.state,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def journal(self) -> list[dict[str, Any]]:
        """The journal's entries, as far as they are whole lines."""
        path = self.state / "journal.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def settings(self) -> dict[str, dict[str, Any]]:
        """Each node's configuration and features, read straight from the node."""
        record = json.loads((self.state / "sandbox" / "fleet.json").read_bytes())
        return {
            node["name"]: _admin(f"http://127.0.0.1:{node['port']}", self.token(node["name"]))
            for node in record["nodes"]
        }

    def token(self, node: str) -> str:
        """A node's admin token."""
        return (self.state / "sandbox" / node / "admin.token").read_text().strip()


def _admin(url: str, token: str) -> dict[str, Any]:
    import urllib.request  # noqa: PLC0415 - beside its only use

    found: dict[str, Any] = {}
    for part in ("config", "features"):
        request = urllib.request.Request(  # noqa: S310 - a loopback address that this test made
            f"{url}/api/v1/admin/{part}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - as above
            found |= json.load(reply)
    return found


@contextmanager
def sick_fleet(state: Path, nodes: int) -> Iterator[Command]:
    """A fleet with a baseline, whose every node forms concepts far too fast; ended whatever happens."""
    state.mkdir(mode=0o700, exist_ok=True)
    command = Command(state)
    try:
        command("sandbox", "up", "--nodes", str(nodes), "--episodes", "60", "--traffic", "10")
        command("baseline", "capture", "--window", "5s")
        command("sandbox", "inject", "high-formation")
        yield command
    finally:
        command("sandbox", "down")


@contextmanager
def well_fleet(state: Path, nodes: int) -> Iterator[Command]:
    """A fleet with the usual texts and traffic and a baseline of it; ended whatever happens."""
    command = Command(state)
    try:
        command("sandbox", "up", "--nodes", str(nodes), "--traffic", "30")
        command("baseline", "capture")
        yield command
    finally:
        command("sandbox", "down")


@contextmanager
def broken(fleet: Command, fault: str) -> Iterator[None]:
    """With that fault in every node."""
    fleet("sandbox", "inject", fault)
    try:
        yield
    finally:
        fleet("sandbox", "clear")


def found_and_mended(fleet: Command, issue: str, cure: tuple[str, object], wrong: tuple[str, str]) -> dict[str, Any]:
    """3 and the right issue first, whatever else was set; acting sets the right one, and it recovers; the run.

    Args:
        fleet: nodes with a fault in them.
        issue: what must be found.
        cure: the setting that mends it, and its value.
        wrong: a setting that does not, and a value for it.
    """
    key, value = cure
    fleet("config", "set", *wrong, "--yes")
    found = fleet.json("diagnose", expect=3)["data"]
    assert found["issues"][0]["issue"] == issue
    assert issue in found["next"]
    assert all(known[key] != value for known in fleet.settings().values())
    fleet("undo", fleet("runs", "--last", "--id").stdout.strip(), "--yes")

    acted = fleet.json(issue, "--act", "--yes", "--watch", "120s", "--reason", "test")["data"]
    run: dict[str, Any] = acted["run"]
    assert run["status"] == "recovered"
    assert {step["key"] for step in run["steps"] if step["done"]} >= {key}
    assert all(known[key] == value for known in fleet.settings().values())
    return run


def orphans(mark: str) -> list[int]:
    """Processes of a play, found by its mark, by the tests' own means."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and f"RUNBOOK_PLAY={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to exactly that process, and reap it."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
