"""An sshd of the test's own: on a free loopback port, with its own host key and its own authorized key."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_fleet import closed_port
from running_node import wait_until


@dataclass(frozen=True)
class Sshd:
    """Where it listens, and how it is entered."""

    port: int
    key: Path
    known_hosts: Path

    @property
    def variables(self) -> dict[str, Any]:
        """What the inventory says, so that Ansible comes in over ssh, with the host key checked."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": pwd.getpwuid(os.getuid()).pw_name,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={self.known_hosts} -o IdentitiesOnly=yes",
            "ansible_python_interpreter": "/usr/bin/python3",
        }


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Start it, wait until it listens, and end exactly it."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "there is no sshd: make setup installs openssh-server"
    (folder / "home").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_text((folder / "key.pub").read_text())
    port = closed_port()
    kind, key, *_ = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        f"SetEnv HOME={folder / 'home'}\n"  # bash reads ~/.bashrc for sshd: whatever the caller keeps there stays out
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # a service would have made it
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=out, stdout=out)
    try:
        wait_until(lambda: _listens(port, process, log), "sshd does not listen")
        yield Sshd(port, folder / "key", folder / "known_hosts")
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, f"sshd ended: {log.read_text()}"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
