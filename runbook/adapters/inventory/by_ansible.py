"""Inventories that only Ansible can read: INI, scripts, plugins, folders, vaulted values."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook.errors import DamagedError, NotSupportedError

_PATIENCE_SECONDS = 60.0
_INSTEAD = "or write the inventory as YAML without vaulted values, which needs no Ansible to be read"


def ask_ansible(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Every host's variables, as `ansible-inventory --list` gives them.

    Raises:
        DamagedError: Ansible cannot read the inventory either, or hangs on it.
        NotSupportedError: Ansible is missing or broken.
    """
    import shutil  # noqa: PLC0415  # all of these: only for inventories that are not YAML
    import tempfile  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="runbook-inventory-") as scratch:
        environment = _environment(scratch)
        program = shutil.which("ansible-inventory", path=environment["PATH"])
        if program is None:
            raise NotSupportedError(
                f"{path}: it takes Ansible to read this inventory, and ansible-inventory is not installed",
                hint=f"pip install ansible-core, {_INSTEAD}",
            )
        status, output, talk = _run([program, "-i", str(path), "--list"], environment, path)
    said = _last_words(talk)
    if status != 0:
        raise DamagedError(f"{path}: ansible-inventory failed with {status}", hint=said)
    try:
        hosts = orjson.loads(output)["_meta"]["hostvars"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise NotSupportedError(
            f"{path}: ansible-inventory answered with something else than JSON", hint=said
        ) from None
    if not isinstance(hosts, dict) or not all(isinstance(values, dict) for values in hosts.values()):
        raise NotSupportedError(f"{path}: ansible-inventory answered without host variables", hint=said)
    return hosts


def _environment(scratch: str) -> dict[str, str]:
    """Ansible fails without UTF-8, with a home that cannot be written, and off the path of this installation."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    fixed = {"PATH": path, "LC_ALL": "C.UTF-8", "ANSIBLE_LOCAL_TEMP": scratch, "ANSIBLE_NOCOLOR": "1"}
    return {"ANSIBLE_HOME": scratch, **os.environ, **fixed}


def _run(command: list[str], environment: Mapping[str, str], path: Path) -> tuple[int, bytes, bytes]:
    with subprocess.Popen(  # noqa: S603  # a list, no shell; the path is the user's own inventory
        command,
        env=environment,
        stdin=subprocess.DEVNULL,  # a password prompt must fail, not hang
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, talk = process.communicate(timeout=_PATIENCE_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # its children too
            if isinstance(error, subprocess.TimeoutExpired):
                raise DamagedError(
                    f"{path}: ansible-inventory did not end within {_PATIENCE_SECONDS:g} s",
                    hint="does a script in it hang?",
                ) from None
            raise
    return process.returncode, output, talk


def _last_words(talk: bytes) -> str:
    lines = [line.strip() for line in talk.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
