"""A bastion that the playbook installs over ssh, with a fleet beside it, and an index of packages."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_fleet import closed_port
from booted_machine import Machine, machine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "set-up-production.md").read_text()
INSTALL = re.findall(r"^```sh\n(PLAYBOOKS=.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
REMOVE = re.findall(r"^```sh\n(systemctl disable .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
STATE = "/var/lib/engram-runbook"
PLAN = """
version: 1
name: brief
title: Half of the spaces
bucket: 2s
check_every: 1s
phases:
  - name: shadow
    title: Nobody sees it
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: false}
  - name: ramp
    title: Half
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: true}
    shares: [0.5]
    tripwire: {errors: 0.01, latency_ratio: 2, window: 10s, fewest: 100}
"""
SETTLED = """
install -m 600 -o engram-runbook -g engram-runbook /dev/null /etc/engram-runbook/prod.token
echo {token} >/etc/engram-runbook/prod.token
sudo -H -u engram-runbook mkdir -m 700 {state}/.ssh
sudo -H -u engram-runbook ssh-keygen -q -t ed25519 -N '' -f {state}/.ssh/id_ed25519
cat {state}/.ssh/id_ed25519.pub >>/etc/ssh/keys/engram
echo "[127.0.0.1]:{port} $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >{state}/.ssh/known_hosts
cat >/etc/engram-runbook/inventory.yml <<END
all:
  vars: {{engram_token_file: /etc/engram-runbook/prod.token}}
  hosts:
    node-1:
      engram_url: {url}
      ansible_host: 127.0.0.1
      ansible_port: {port}
      ansible_user: engram
      engram_runbook: /opt/engram-runbook/current/bin/runbook
      engram_backup_folder: /srv/engram/backups
END
cat >/etc/engram-runbook/runbook.toml <<END
version = 1
default_target = "prod"
[serve]
port = {serve}
[targets.prod]
environment = "production"
inventory = "inventory.yml"
warm_up = "0s"
[targets.prod.rails]
max_hosts_per_run = 20
END
cat >/etc/engram-runbook/plan.yml <<END
{plan}
END
printf '#!/bin/sh\\necho "$1" >>{state}/failed\\n' >/etc/engram-runbook/on-failure
chmod 755 /etc/engram-runbook/on-failure
"""
"""Section 3 of the page, for a node that is reached over ssh, and a program that is told of failures."""


@dataclass(frozen=True)
class Bastion:
    """The machine, a fleet beside it, the wheels, and an index of them."""

    machine: Machine
    fleet: Path
    wheel: Path
    index: str
    serve: int

    def play(self, wheel: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the playbook by the lines of the page, by somebody who is not root there."""
        own = f"-F none -o UserKnownHostsFile={self.machine.known_hosts} -o IdentitiesOnly=yes"
        said = {"ansible_host": "127.0.0.1", "ansible_port": self.machine.port, "ansible_ssh_common_args": own}
        said |= {"serve": True, "targets": ["prod"], "pip_options": ["--index-url", self.index]}
        said |= {"wheel": str(wheel)}  # what is said last counts
        who = f" -u deploy --private-key {self.machine.key} -e '{json.dumps(said)}'\n"
        environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        environment |= {"HOME": str(self.fleet), "RUNBOOK_STATE": str(self.fleet)}
        lines = ["bash", "-ec", INSTALL.rstrip() + who]
        return subprocess.run(
            lines, env=environment, cwd=self.fleet, capture_output=True, text=True, timeout=900, check=False
        )

    @property
    def by_name(self) -> str:
        """What is asked of an index."""
        return f"engram-runbook=={self.wheel.name.split('-')[1]}"

    def sandbox(self, *words: str) -> None:
        """Of this checkout, on this machine."""
        command = [sys.executable, "-m", "runbook", "sandbox", *words]
        environment = os.environ | {"RUNBOOK_STATE": str(self.fleet)}
        subprocess.run(command, env=environment, cwd=self.fleet, check=True, capture_output=True)

    def answers(self) -> bool:
        """Does the server answer its health check?"""
        return self.machine.run(f"curl -sf http://127.0.0.1:{self.serve}/health", "deploy").stdout.strip() == "up"

    def other(self, mark: str, broken: str = "") -> Path:
        """The wheel once more with other bytes; a module `broken` cannot be imported."""
        path = self.fleet / mark / self.wheel.name
        path.parent.mkdir()
        with zipfile.ZipFile(self.wheel) as old, zipfile.ZipFile(path, "w") as new:
            new.comment = mark.encode()
            for each in old.infolist():
                new.writestr(each, (b"raise SystemExit(9)\n" if each.filename == broken else b"") + old.read(each))
        return path


@contextmanager
def index_of(wheels: Path) -> Iterator[str]:
    """A package index as pip's documentation makes one: folders by the names of the projects, and a server of files."""
    for wheel in list(wheels.glob("*.whl")):
        project = wheels / re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
        project.mkdir(exist_ok=True)
        (project / wheel.name).hardlink_to(wheel)
    port = closed_port()
    words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(wheels), str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def bare_bastion(folder: Path) -> Iterator[Bastion]:
    """A machine with nothing of ours but where the server is to listen; nothing of it is left."""
    wheels, fleet, place = (folder / name for name in ("wheels", "fleet", "machine"))
    fleet.mkdir()
    place.mkdir()
    subprocess.run([sys.executable, "-m", "pip", "-q", "wheel", "--wheel-dir", wheels, ROOT], check=True)
    (wheel,) = wheels.glob("engram_runbook-*.whl")
    with index_of(wheels) as index, machine(place) as booted:
        made = Bastion(booted, fleet, wheel, index, closed_port())
        try:
            made.sandbox("up", "--nodes", "1", "--episodes", "120", "--spaces", "20", "--traffic", "30")
            toml = f"version = 1\\n[serve]\\nport = {made.serve}\\n"
            booted(f"mkdir /etc/engram-runbook; printf '{toml}' >/etc/engram-runbook/runbook.toml")
            yield made
        finally:
            made.sandbox("down")
