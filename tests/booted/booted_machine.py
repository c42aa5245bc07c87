"""A throw-away Debian with systemd as its pid 1, in a container on this machine's network; entered over ssh."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_fleet import closed_port
from running_node import wait_until

SUITE, ITS_PYTHON = "bookworm", (3, 11)
"""The wheels are made with the Python of this environment: that of the suite has to be the same."""
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,sudo,python3-venv,curl"
BASE = Path(os.environ.get("BOOTED", "/nowhere")) / SUITE
"""Debian as debootstrap leaves it: made once, and only read."""
GROUPS = Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")
PEOPLE = """
set -eu
groupadd oncall
useradd --create-home --shell /bin/bash deploy
for name in alice bob; do useradd --create-home --shell /bin/bash --groups oncall $name; done
for name in mallory engram; do useradd --create-home --shell /bin/bash $name; done
install -d -o engram -g engram /srv/engram
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
"""
"""Who logs in there: who installs, two on call, one who is not, and the account of a node."""


def what_is_missing() -> str:
    """Why nothing can be booted here; empty where it can."""
    programs = [name for name in ("systemd-nspawn", "debootstrap", "ssh") if shutil.which(name) is None]
    reasons = {
        "it needs root": os.geteuid() != 0,
        f"not installed: {', '.join(programs)} (apt-get install systemd-container debootstrap)": programs,
        f"this Python is not {'.'.join(map(str, ITS_PYTHON))}, that of {SUITE}": sys.version_info[:2] != ITS_PYTHON,
        "the kernel has no cgroup v2": not any((group / "cgroup.procs").exists() for group in GROUPS),
    }
    return "; ".join(reason for reason, is_so in reasons.items() if is_so)


@dataclass
class Machine:
    """What is booted: `root` is its file system, `folder` everything of the test's own."""

    root: Path
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def known_hosts(self) -> Path:
        """Its host key."""
        return self.folder / "known_hosts"

    @property
    def key(self) -> Path:
        """What everybody logs in with."""
        return self.folder / "key"

    def run(self, command: str, by: str, said: str = "") -> "subprocess.CompletedProcess[str]":
        """A line of shell, typed there by somebody."""
        own = ["-F", "none", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "IdentitiesOnly=yes"]
        words = [
            "ssh",
            *own,
            "-o",
            "BatchMode=yes",
            "-i",
            str(self.key),
            "-p",
            str(self.port),
            f"{by}@127.0.0.1",
            command,
        ]
        return subprocess.run(words, input=said, capture_output=True, text=True, timeout=400, check=False)

    def __call__(self, command: str, *, by: str = "", said: str = "", expect: int = 0) -> str:
        """The same, by root where nobody is named, with this exit code; what it printed."""
        line = command if by else f"sudo sh -euc {shlex.quote(command)}"
        done = self.run(line, by or "deploy", said)
        assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def unit(self, name: str, *properties: str) -> list[str]:
        """What systemd says of a unit, in the order of the names; empty where it says nothing."""
        found = dict(each.split("=", 1) for each in self(f"systemctl show '{name}'").splitlines() if "=" in each)
        return [found.get(each, "") for each in properties]

    def boot(self) -> None:
        """Start systemd, and wait until people can log in and nothing is starting any more."""
        words = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--link-journal=no", "--console=pipe"]
        if not Path("/run/systemd/system").is_dir():  # nobody here gives it a cgroup of its own
            own = next(group for group in GROUPS if (group / "cgroup.procs").exists()) / f"booted-{self.port}"
            own.mkdir(exist_ok=True)
            words = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(own / "cgroup.procs"), *words, "--keep-unit"]
        with (self.folder / "console").open("ab") as console:
            self.process = subprocess.Popen(
                [*words, "--machine=bastion", f"--directory={self.root}"],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        wait_until(self._is_up, "systemd did not come up", 180)

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "console").read_text()[-3000:]
        return self.run("systemctl is-system-running --wait", "deploy").stdout.strip() in {"running", "degraded"}

    def halt(self) -> None:
        """Have it shut down in good order; who does not is ended."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(150)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Boot one over a file system that is thrown away; ended, exactly that, whatever happens."""
    if not BASE.is_dir():
        new = BASE.with_suffix(f".{os.getpid()}")
        new.parent.mkdir(exist_ok=True)
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, new], check=True)
        new.rename(BASE)
    for name in ("root", "changes", "work"):
        (folder / name).mkdir()
    layers = f"lowerdir={BASE},upperdir={folder / 'changes'},workdir={folder / 'work'}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, folder / "root"], check=True)
    booted = Machine(folder / "root", folder, closed_port())
    try:
        _furnish(booted)
        booted.boot()
        yield booted
    finally:
        booted.halt()
        subprocess.run(["umount", booted.root], check=True)
        for name in ("changes", "work"):
            shutil.rmtree(folder / name)
        for left in [path for way in ("", "*/") for path in GROUPS[-1].glob(f"{way}booted-{booted.port}")]:
            subprocess.run(["find", left, "-depth", "-type", "d", "-delete"], check=True)


def _furnish(booted: Machine) -> None:
    """People, their key, and where sshd listens."""
    etc = booted.root / "etc"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", booted.key], check=True)
    kind, key, *_ = (etc / "ssh/ssh_host_ed25519_key.pub").read_text().split()
    booted.known_hosts.write_text(f"[127.0.0.1]:{booted.port} {kind} {key}\n")
    (etc / "ssh/keys").mkdir()
    for name in ("deploy", "alice", "bob", "mallory", "engram"):
        shutil.copy(f"{booted.key}.pub", etc / "ssh/keys" / name)
    (etc / "ssh/sshd_config.d/booted.conf").write_text(
        f"Port {booted.port}\nListenAddress 127.0.0.1\nAuthorizedKeysFile /etc/ssh/keys/%u\n"
    )
    (etc / "hostname").write_text("bastion\n")
    (etc / "hosts").write_text("127.0.0.1 localhost bastion\n")
    subprocess.run(["chroot", booted.root, "/bin/sh", "-c", PEOPLE], check=True)
