"""The emergency brake on 1, 10 and 100 nodes: milliseconds from the start of the command, as its own report gives them.

Real nodes, all in one process, beside the command on the same cores. With Ansible too, and with one node that hangs.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from runbook.sandbox.fleet.waiting import wait_for

SIZES = (1, 10, 100)
ROUNDS = 3
GOALS = {1: (300, 3000), 10: (1000, 3000), 100: (1000, 3000)}
FLAGS = ("dual_memory.enable_concepts", "dual_memory.use_blended_recall")


def start(place: Path) -> "subprocess.Popen[bytes]":
    folders = [place / f"node-{number}" for number in range(1, max(SIZES) + 1)]
    words = [word for each in folders for word in ("--folder", str(each), "--port", "0")]
    command = [sys.executable, "-m", "runbook.sandbox.node", "--consolidation-seconds", "3600", *words]
    process = subprocess.Popen(command)
    wait_for(lambda: all((each / "port").exists() for each in folders) or process.poll(), 120)
    return process


def hosts(place: Path, size: int) -> dict[str, dict[str, str]]:
    return {
        name: {
            "engram_url": f"http://127.0.0.1:{(place / name / 'port').read_text().strip()}",
            "engram_token_file": str(place / name / "admin.token"),
        }
        for name in (f"node-{number}" for number in range(1, size + 1))
    }


def configure(place: Path, nodes: dict[str, dict[str, str]]) -> None:
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (place / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": nodes, "vars": variables}}))
    target = 'environment = "benchmark"\ninventory = "inventory.yml"'
    (place / "runbook.toml").write_text(f'version = 1\ndefault_target = "b"\n[targets.b]\n{target}\n')


def on(nodes: dict[str, dict[str, str]]) -> None:
    for host in nodes.values():
        headers = {"Authorization": f"Bearer {Path(host['engram_token_file']).read_text().strip()}"}
        body = json.dumps(dict.fromkeys(FLAGS, True)).encode()
        url = f"{host['engram_url']}/api/v1/admin/features"
        urlopen(Request(url, body, headers, method="POST")).close()  # noqa: S310 - http, loopback


def brake(place: Path, *more: str) -> tuple[dict[str, Any], float]:
    command = [sys.executable, "-m", "runbook", "rollback", "features", "--yes", "--json", *more]
    environment = {**os.environ, "RUNBOOK_STATE": str(place / "state")}
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False)
    return json.loads(done.stdout)["data"], time.perf_counter() - begun


def row(name: str, found: list[tuple[dict[str, Any], float]], one: float) -> float:
    def last(what: str) -> float:
        nodes = [[each["http"][what] for each in data["nodes"] if each["http"][what] is not None] for data, _ in found]
        return statistics.median(map(max, nodes))

    plays = [max((each["play"]["after_ms"] for each in data["nodes"] if each["play"]), default=0) for data, _ in found]
    whole = statistics.median(seconds for _, seconds in found) * 1000
    off = last("off_ms")
    played = statistics.median(plays)
    told = f"{off:7.0f} {last('verified_ms'):10.0f} {played:10.0f} {whole:10.0f} {off / (one or off):9.2f}"
    print(f"{name:32} {told}")
    return off


@contextmanager
def hanging() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name, start(Path(name)) as process:
        place = Path(name)
        heads = f"{'off':>7} {'read back':>10} {'by Ansible':>10} {'whole':>10} {'x 1 node':>9}"
        print(f"{'ms from the start, medians':32} {heads}")
        one = 0.0
        try:
            for size in SIZES:
                nodes = hosts(place, size)
                configure(place, nodes)
                found = []
                for _ in range(ROUNDS):
                    on(nodes)
                    found.append(brake(place))
                off = row(f"{size} node{'s' * (size > 1)} (goal {GOALS[size][0]}, {GOALS[size][1]})", found, one)
                one = one or off
            with hanging() as url:
                configure(place, nodes | {"node-hangs": {"engram_url": url}})
                on(nodes)
                row("100 nodes and one that hangs", [brake(place, "--deadline", "8s")], one)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
