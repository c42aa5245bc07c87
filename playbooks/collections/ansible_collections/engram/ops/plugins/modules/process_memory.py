"""The module `process_memory`: runs on the host, reads the kernel's own numbers of one process, changes nothing."""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: process_memory
short_description: Read the memory of an Engram server from the kernel of its host
description:
  - For servers that say nothing of their own process. Runs on the host, reads C(/proc), and changes nothing.
  - The process is the one that the server's own pid file names; it is never searched for by name.
options:
  pid_file:
    description: The server's pid file. Its content is C(pid) or C(pid:port).
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: It only reads, so it does the same.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Read the memory of the server
  engram.ops.process_memory:
    pid_file: /run/engram/engram.pid
"""

RETURN = r"""
collected:
  description:
    - C(pid), C(name), C(started_at) in seconds since 1970, and in bytes C(anonymous_bytes) and C(resident_bytes).
    - C(anonymous_bytes) is what the process allocated itself, without mapped files.
  type: dict
  returned: on success
"""

LARGEST_FILE = 1 << 20
WRITTEN_LATE_SECONDS = 10.0
"""A server writes its pid file after it began; a process that began so much later only has the same number."""
STARTED = 19
"""Place of the start time among the fields of /proc/PID/stat behind the name of the command."""
KILOBYTE = 1024


class NoMemoryError(Exception):
    """The numbers cannot be had; the message says why."""


def process_of(pid_file: str) -> int:
    """The process that the server's pid file names."""
    if not pid_file:
        raise NoMemoryError("the inventory does not say engram_pid_file for this host")
    text = _content(Path(pid_file), "the pid file").strip()
    number = text.partition(":")[0]
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise NoMemoryError(f"the pid file {pid_file} holds no process id")
    return int(number)


def memory_of(pid_file: str) -> dict[str, Any]:
    """What the kernel says of the process that the pid file names."""
    pid = process_of(pid_file)
    folder = Path("/proc") / str(pid)
    if not folder.is_dir():
        raise NoMemoryError(f"the process {pid} of the pid file is gone")
    begun = _started_at(folder)
    fields = dict(line.partition(":")[::2] for line in _content(folder / "status", "its status").splitlines())
    if _started_at(folder) != begun:
        raise NoMemoryError(f"the process {pid} ended while it was read")
    if begun > Path(pid_file).stat().st_mtime + WRITTEN_LATE_SECONDS:
        raise NoMemoryError(f"the pid file is older than the process {pid}: it is of a server that ended")
    return {
        "pid": pid,
        "name": fields.get("Name", "").strip(),
        "started_at": begun,
        "anonymous_bytes": _bytes(fields, "RssAnon"),
        "resident_bytes": _bytes(fields, "VmRSS"),
    }


def _started_at(folder: Path) -> float:
    ticks = _content(folder / "stat", "its state").rpartition(")")[2].split()[STARTED]
    booted = next(
        line.split()[1] for line in _content(Path("/proc/stat"), "its host").splitlines() if line.startswith("btime ")
    )
    return int(booted) + int(ticks) / os.sysconf("SC_CLK_TCK")


def _bytes(fields: dict[str, str], name: str) -> int:
    words = fields.get(name, "").split()
    if len(words) != 2 or words[1] != "kB":  # noqa: PLR2004 - a number and its unit
        raise NoMemoryError(f"the kernel of this host does not tell {name}")
    return int(words[0]) * KILOBYTE


def _content(path: Path, what: str) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LARGEST_FILE)
    except OSError as problem:
        raise NoMemoryError(f"{what} {path} cannot be read: {problem.strerror}") from None


def main() -> None:
    """Read, and say what was read."""
    module = AnsibleModule(argument_spec={"pid_file": {"type": "path", "required": True}}, supports_check_mode=True)
    try:
        found = memory_of(module.params["pid_file"])
    except NoMemoryError as problem:
        module.fail_json(msg=str(problem), reason="not_supported")
    except (OSError, ValueError, IndexError, StopIteration) as problem:
        module.fail_json(msg=f"/proc of this host is not as expected: {problem!r}", reason="broken")
    else:
        module.exit_json(changed=False, collected=found, msg=f"process {found['pid']}")


if __name__ == "__main__":
    main()
