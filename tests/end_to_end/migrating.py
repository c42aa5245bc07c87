"""One real node with some texts, the real command beside it, and clients that write meanwhile."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from end_to_end_fleet import Command
from running_node import RunningNode, wait_until
from whole_data import digest, export, ids

TEXTS = 40
DUAL, SINGLE = "dual_memory", "single_memory"


@dataclass
class Site:
    """A node, and the command whose target it is."""

    node: RunningNode
    command: Command

    @property
    def backup(self) -> Path:
        """Where `back_up` writes."""
        return self.command.state / "backup.json"

    def back_up(self) -> Path:
        """A fresh backup of the node."""
        self.backup.write_bytes(export(self.node))
        return self.backup

    @property
    def run(self) -> str:
        """The id of the last run in the journal."""
        return str(self.command.journal()[-1]["run"])

    def to_single(self, *more: str) -> tuple[str, ...]:
        """The words that migrate it, from a fresh backup."""
        return ("migrate", "--to", SINGLE, "--backup", str(self.back_up()), "--yes", *more)

    def digest(self, kind: str = DUAL) -> str:
        """Of the content that is served."""
        return str(digest(export(self.node, kind)))

    def ids(self) -> set[str]:
        """Of every text that is served."""
        kind = self.kind()
        try:
            return set(ids(export(self.node, kind)))
        except AssertionError:
            if self.kind() == kind:
                raise
            return self.ids()  # an activation that was on its way when its command was killed came in between

    def kind(self) -> str:
        """What the node serves."""
        found = self.node.admin("GET", "generations").json["generations"]
        return str(next(each["kind"] for each in found if each["state"] == "active"))

    def states(self) -> list[str]:
        """Of its generations."""
        return sorted(each["state"] for each in self.node.admin("GET", "generations").json["generations"])

    def takes_writes(self) -> bool:
        """Is it not frozen?"""
        return self.node.remember(f"asked at {time.monotonic()}").status == 201

    def stepped(self, step: str, *, done: bool, known: int = 0) -> bool:
        """Does the journal have that of a migration, behind its first `known` entries?"""
        news = (entry["details"] for entry in self.command.journal()[known:] if entry["event"] == "migration.step")
        return any(each["step"] == step and each.get("done") is done for each in news)


def site_of(node: RunningNode, state: Path, *, rails: str = "", beside: str = "") -> Site:
    """The node with its texts, as the target `prod` of a command with that state folder; `beside` is another's URL."""
    state.mkdir(mode=0o700)
    hosts = {"n1": {"engram_url": node.url, "engram_token_file": str(node.token_file)}}
    if beside:
        hosts["n2"] = {**hosts["n1"], "engram_url": beside}
    (state / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    (state / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "test"\ninventory = "hosts.yml"\n' + rails
    )
    for number in range(TEXTS):
        assert node.remember(f"The heron number {number % 7} waits at the river", id=f"text{number}").status == 201
    node.settle()
    return Site(node, Command(state))


@dataclass
class Writer:
    """Remembers one text after the other, and asks again where it is refused; what was acknowledged is noted."""

    node: RunningNode
    name: str
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0

    def write(self, stop: threading.Event) -> None:
        """Until it is told to stop."""
        number = 0
        while not stop.is_set():
            id_ = f"{self.name}{number}"
            if self._sent(id_):
                self.acknowledged.add(id_)
                number += 1
            time.sleep(0.005)

    def _sent(self, id_: str) -> bool:
        try:
            reply = self.node.remember(f"A text that came meanwhile, {id_}", id=id_)
        except (OSError, HTTPException):
            return False
        if reply.status in {200, 201}:
            return True
        assert reply.status == 503, reply.body
        assert int(reply.headers["retry-after"]) >= 0
        self.refused += 1
        time.sleep(0.01)
        return False


@contextmanager
def writing(node: RunningNode, name: str = "written") -> Iterator[Writer]:
    """A client writes while this lasts."""
    writer, stop = Writer(node, name), threading.Event()
    thread = threading.Thread(target=writer.write, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: writer.acknowledged, "the first text")
        yield writer
    finally:
        stop.set()
        thread.join()
