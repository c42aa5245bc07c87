"""A fleet as in production: three nodes, and what watches them and splits their traffic, each a process of its own."""

import json
import math
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from alertmanager_server import alertmanager_of
from end_to_end_fleet import Command
from nginx_server import Nginx, nginx
from peers import Peer, closed_port, hang, http
from prometheus_server import prometheus_of
from running_node import wait_until

SCRAPED_EVERY = "15s"
NODES, SPACES = 3, 20
TARGET = "prod"
FLAGS = ("dual_memory.enable_concepts", "dual_memory.use_blended_recall")
RATE = "40"
CHECKOUT = Path(__file__).resolve().parents[2]
PLAN = CHECKOUT / "docs" / "examples" / "production_rehearsal.yml"
PLAYBOOKS = CHECKOUT / "playbooks"
SALT = "rehearsal-16185"  # the plan's


@dataclass(frozen=True)
class Production:
    """The command in a folder with `runbook.toml` and inventory, and where everything listens."""

    command: Command
    prometheus: str
    nginx: Nginx
    splitter: str
    pager: Peer
    """A receiver of notifications that answers; there is another one that never does."""

    def p99(self, group: str) -> float | None:
        """That group's, in seconds, over the last minute and all nodes, as Prometheus knows it."""
        buckets = f'sum by (le) (rate(engram_recall_duration_seconds_bucket{{group="{group}"}}[1m]))'
        return self.asked(f"histogram_quantile(0.99, {buckets})")

    def treated(self, spaces: Sequence[str]) -> float:
        """The treated recalls of these spaces over the last minute, as Prometheus knows them."""
        series = f'engram_recall_total{{group="treatment",space=~"{"|".join(spaces)}"}}'
        return self.asked(f"sum(increase({series}[1m]))") or 0.0

    def asked(self, query: str) -> float | None:
        """The one number that Prometheus answers; None where it has none."""
        found = fetch(f"{self.prometheus}/api/v1/query?{urlencode({'query': query})}")
        values = [float(each["value"][1]) for each in found["data"]["result"]]
        return values[0] if values and math.isfinite(values[0]) else None

    def firing(self) -> set[str]:
        """The alerts that fire at Prometheus, by name."""
        found = fetch(f"{self.prometheus}/api/v1/alerts")["data"]["alerts"]
        return {each["labels"]["alertname"] for each in found if each["state"] == "firing"}

    def entries(self, event: str) -> list[dict[str, Any]]:
        """What the journal has of that kind."""
        return [each for each in self.command.journal() if each["event"] == event]

    def split(self) -> dict[str, Any]:
        """What the running nginx says that it splits by."""
        found: dict[str, Any] = fetch(f"{self.splitter}/engram-splitter")
        return found


def holder(state: Path, receiver: str) -> int:
    """The process that tells that receiver; 0 where none does."""
    with suppress(OSError, ValueError):
        return int(json.loads((state / "locks" / f"notify-{receiver}.lock").read_bytes())["pid"])
    return 0


def fetch(url: str) -> Any:
    """The JSON of a loopback address that a test made."""
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310 - as above
        return json.load(reply)


def moment(entry: Mapping[str, Any]) -> float:
    """When it was journaled, in seconds since 1970."""
    return datetime.fromisoformat(entry["at"]).astimezone(UTC).timestamp()


@dataclass(frozen=True)
class Places:
    """Where everything will listen, chosen before anything is there: each names another."""

    nodes: Mapping[str, str]
    doors: Mapping[str, str]
    serve: str
    prometheus: str
    alertmanager: str


@contextmanager
def production(folder: Path) -> Iterator[Production]:
    """Everything up; ended, exactly that, whatever happens."""
    folder.mkdir(mode=0o700, exist_ok=True)
    command = Command(folder)
    with ExitStack() as running:
        running.callback(command, "sandbox", "down")
        running.callback(end_telling, folder)
        command("sandbox", "up", "--nodes", str(NODES), "--spaces", str(SPACES))
        places = places_of(folder)
        proxy = running.enter_context(nginx(made(folder / "nginx")))
        pager, dead = (running.enter_context(Peer(answer)) for answer in (lambda _: http("ok"), lambda _: hang))
        write_documents(folder, places, proxy, (pager.url, dead.url))
        write_monitoring(command, places)
        split_nobody(folder)
        running.enter_context(traffic(folder, [port_of(door) for door in places.doors.values()]))
        running.enter_context(served(command, places.serve))
        running.enter_context(alertmanager_of(folder / "monitoring" / "alertmanager.yml", port_of(places.alertmanager)))
        watching = prometheus_of(folder / "monitoring" / "prometheus.yml", port_of(places.prometheus))
        yield Production(command, running.enter_context(watching), proxy, f"http://{places.doors['node-1']}", pager)


def end_telling(folder: Path) -> None:
    """A receiver that never answers is told by a process of its own, which would go on for an hour."""
    for receiver in ("pager", "dead"):
        if pid := holder(folder, receiver):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def places_of(folder: Path) -> Places:
    """Free ports, and those of the nodes."""
    record = json.loads((folder / "sandbox" / "fleet.json").read_bytes())
    nodes = {node["name"]: f"127.0.0.1:{node['port']}" for node in record["nodes"]}
    free: set[str] = set()
    while len(free) < len(nodes) + 3:
        free.add(f"127.0.0.1:{closed_port()}")
    return Places(nodes, {name: free.pop() for name in nodes}, free.pop(), free.pop(), free.pop())


def port_of(place: str) -> int:
    """The port of an address."""
    return int(place.rpartition(":")[2])


def write_documents(folder: Path, places: Places, splitter: Nginx, receivers: Sequence[str]) -> None:
    """`runbook.toml`, the inventory and a token, as a person would write them."""
    token = folder / "alertmanager.token"
    token.touch(mode=0o600)
    token.write_text("the-token-of-this-rehearsal\n")
    (folder / "runbook.toml").write_text(f"""\
version = 1
default_target = "{TARGET}"

[targets.{TARGET}]
environment = "production"
inventory = "inventory.yml"
prometheus = "http://{places.prometheus}"
warm_up = "0s"
rails = {{cool_down = "0s"}}

[serve]
webhook_token_file = "alertmanager.token"
settle = "1s"

[notify.pager]
url = "{receivers[0]}/in"
events = ["rollback", "person"]

[notify.dead]
url = "{receivers[1]}/in"
""")
    hosts: dict[str, Mapping[str, Any]] = {
        name: {"engram_url": f"http://{place}", "engram_token_file": f"sandbox/{name}/admin.token"}
        for name, place in places.nodes.items()
    }
    routes = [{"listen": places.doors[name], "control": [f"http://{place}"]} for name, place in places.nodes.items()]
    variables = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    document = {"all": {"vars": variables, "hosts": {**hosts, "edge": splitter.variables(routes)}}}
    (folder / "inventory.yml").write_text(json.dumps(document))  # JSON is YAML


def write_monitoring(command: Command, places: Places) -> None:
    """What `runbook monitoring` writes, examples and all; only where things listen is another."""
    folder = made(command.state / "monitoring")
    command("monitoring", "write", str(folder), "--plan", str(PLAN), "--scrape-interval", SCRAPED_EVERY)
    scraped = command("monitoring", "scrape").stdout
    (made(folder / "targets") / "nodes.json").write_text(scraped)
    ours = {
        "127.0.0.1:8787": places.serve,
        "127.0.0.1:9093": places.alertmanager,
        "/etc/alertmanager/engram-runbook.token": str(command.state / "alertmanager.token"),
    }
    for name in ("prometheus.yml", "alertmanager.yml"):
        text = (folder / name).read_text()
        for usual, here in ours.items():
            text = text.replace(usual, here)
        (folder / name).write_text(text)


@contextmanager
def served(command: Command, place: str) -> Iterator[None]:
    """`runbook serve`, which answers."""
    process = command.start("serve", "--port", str(port_of(place)))
    try:
        wait_until(lambda: answers(f"http://{place}/health"), "serve did not begin")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def answers(url: str) -> bool:
    """Does it answer well?"""
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310 - a loopback address that this test made
            return True
    except OSError:
        return False


def made(folder: Path) -> Path:
    """That folder, which is there now."""
    folder.mkdir()
    return folder


def split_nobody(folder: Path) -> None:
    """The splitter is set up by hand, once; it treats nobody, and has the plan's salt."""
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", "inventory.yml", PLAYBOOKS / "split_traffic.yml", "-e", f"treatment_salt={SALT}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def traffic(folder: Path, ports: Sequence[int]) -> Iterator[None]:
    """The load generator, through these doors."""
    words = ["--fleet", "sandbox/fleet.json", "--rate", RATE, "--ports", ",".join(map(str, ports))]
    with (
        (folder / "traffic.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "runbook.sandbox.traffic", *words],
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            yield
        finally:
            process.kill()
