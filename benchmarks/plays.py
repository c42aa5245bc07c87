"""One setting changed and read back on 1, 10 and 100 nodes: what Ansible costs, and what this tool adds to it.

Real nodes, all in one process; the ways are interleaved, so that the ratios hold even where the machine is busy.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import yaml

from runbook.adapters.ansible import AnsiblePlays
from runbook.material import folder, playbook
from runbook.model.play import PlayRequest
from runbook.sandbox.fleet.waiting import wait_for

KEY = "dual_memory.concept_sample_rate"
SIZES = (1, 10, 100)
ROUNDS = 3
GOALS = {
    1: 0.55,
    10: 0.72,
    100: 1.56,
}  # measured once with an action plugin per host, in one wave, without reading back
URI_UP_TO = 10  # a module per host takes 20 s at 100

URI_PLAY = f"""
- hosts: all
  gather_facts: false
  module_defaults:
    ansible.builtin.uri:
      url: "{{{{ engram_url }}}}/api/v1/admin/config"
      headers: {{Authorization: "Bearer {{{{ lookup('file', engram_token_file) }}}}"}}
  tasks:
    - ansible.builtin.uri: {{method: PATCH, body_format: json, body: {{"{KEY}": "{{{{ value }}}}"}}}}
    - ansible.builtin.uri: {{method: GET}}
"""


def start(place: Path) -> "subprocess.Popen[bytes]":
    folders = [place / f"node-{number}" for number in range(1, max(SIZES) + 1)]
    words = [word for each in folders for word in ("--folder", str(each), "--port", "0")]
    command = [sys.executable, "-m", "runbook.sandbox.node", "--consolidation-seconds", "3600", *words]
    process = subprocess.Popen(command)
    wait_for(lambda: all((each / "port").exists() for each in folders) or process.poll(), 120)
    return process


def inventory(place: Path, size: int) -> Path:
    hosts = {
        name: {
            "engram_url": f"http://127.0.0.1:{(place / name / 'port').read_text().strip()}",
            "engram_token_file": str(place / name / "admin.token"),
        }
        for name in (f"node-{number}" for number in range(1, size + 1))
    }
    path = place / f"inventory-{size}.yml"
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
    return path


def ways(place: Path, size: int) -> dict[str, Callable[[float], None]]:
    hosts = inventory(place, size)
    one_wave, by_uri = place / "one_wave.yml", place / "by_uri.yml"
    source = playbook("set_config").read_text().replace('  serial: [1, "25%", "100%"]\n', "")
    one_wave.write_text(source)
    by_uri.write_text(URI_PLAY)
    names = tuple(yaml.safe_load(hosts.read_text())["all"]["hosts"])

    def runbook(value: float) -> None:
        request = PlayRequest("set_config", names, KEY, dict.fromkeys(names, value), f"benchmark-{value}")
        result = AnsiblePlays(hosts).run(request, lambda _line: None)
        if not result.done:
            raise SystemExit(result)

    def bare(play: Path) -> Callable[[float], None]:
        return lambda value: ansible(play, hosts, value, size)

    def direct(value: float) -> None:
        for host in yaml.safe_load(hosts.read_text())["all"]["hosts"].values():
            token = Path(host["engram_token_file"]).read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            for method, body in (("GET", None), ("PATCH", json.dumps({KEY: value}).encode()), ("GET", None)):
                url = f"{host['engram_url']}/api/v1/admin/config"
                urlopen(Request(url, body, headers, method=method)).close()  # noqa: S310 - http, loopback

    found = {
        "runbook, in waves": runbook,
        "ansible-playbook, in waves": bare(playbook("set_config")),
        "ansible-playbook, one wave": bare(one_wave),
        "three requests, no Ansible": direct,
    }
    return found | ({"uri module per host": bare(by_uri)} if size <= URI_UP_TO else {})


def ansible(play: Path, hosts: Path, value: float, size: int) -> None:
    tool = Path(sys.executable).parent / "ansible-playbook"
    wish = json.dumps({"key": KEY, "value": value})
    collections = str(folder("playbooks") / "collections")
    variables = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": collections}
    command = [tool, "-i", hosts, play, "-e", wish, "--forks", str(min(size, 50))]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=variables)


def measure(place: Path, size: int) -> None:
    times: dict[str, list[float]] = {}
    value = 0.1
    for _ in range(ROUNDS):
        for name, way in ways(place, size).items():
            value = round(value + 0.0001, 6)  # always another one, so that there is something to change
            begun = time.perf_counter()
            way(value)
            times.setdefault(name, []).append(time.perf_counter() - begun)
    medians = {name: statistics.median(found) for name, found in times.items()}
    ours = medians["runbook, in waves"]
    print(f"\n{size} node{'s' * (size > 1)}: goal {1.3 * GOALS[size]:.2f} s plus start-up")
    for name, median in medians.items():
        print(f"  {name:28} {median:7.2f} s   runbook takes {ours / median:7.2f} x that")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, start(Path(name)) as process:
        try:
            for size in SIZES:
                measure(Path(name), size)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
