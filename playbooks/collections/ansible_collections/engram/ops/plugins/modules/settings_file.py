"""The module `settings_file`: runs on the host; reads a settings file, or replaces it atomically, compare and set."""

import base64
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.engram.ops.plugins.module_utils.whole_file import SUFFIX, write

DOCUMENTATION = r"""
module: settings_file
short_description: Read the settings file of an Engram server, or replace it
description:
  - The way C(engram_way=file) of C(engram.ops.setting) uses it; what is written is decided in the controller.
  - A file is replaced as a whole, by a rename, once the new one is on the disk. Owner, group and mode stay.
  - A file that is not the expected one any more is left alone.
options:
  path:
    description: The file. A symbolic link is followed, and stays one.
    type: path
    required: true
  content:
    description: The new content, as base64. Without it the file is read.
    type: str
  expected_sha256:
    description: The SHA-256 that the old content must have; required with I(content).
    type: str
attributes:
  check_mode:
    support: full
    description: Nothing is written.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Read the settings
  engram.ops.settings_file:
    path: /etc/engram/settings.toml
"""

RETURN = r"""
content:
  description: The content as base64.
  type: str
  returned: when it is read
sha256:
  description: The SHA-256 of the content that is there now.
  type: str
  returned: on success
modified_at:
  description: When the content was last changed, in seconds since 1970, by the clock of the host.
  type: float
  returned: when it is read
reason:
  description: Why it failed; one of usage, conflict, refused.
  type: str
  returned: on failure
"""

LARGEST_FILE = 1 << 20


class FileProblemError(Exception):
    """It cannot be done; the message says why, and nothing was changed."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def read(path: Path) -> dict[str, Any]:
    """The content and when it was last changed."""
    content, status = _content(path)
    return {
        "content": base64.b64encode(content).decode("ascii"),
        "sha256": _digest(content),
        "modified_at": status.st_mtime,
    }


def replace(path: Path, content: bytes, expected: str, *, check: bool) -> bool:
    """Put the content there, where the expected one still is; did that change anything?"""
    with _alone(path.parent):
        old, status = _content(path)
        if old == content:
            return False
        if _digest(old) != expected:
            raise FileProblemError(f"{path} was changed since it was read; it is left alone", "conflict")
        if not check:
            for left in path.parent.glob(f".{path.name}.*{SUFFIX}"):  # by one of these that was killed
                left.unlink()
            write(path, content, f".{path.name}.", status)
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one of these at a time in a folder: nothing comes between comparing and replacing."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _content(path: Path) -> tuple[bytes, os.stat_result]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FileProblemError(f"{path} is no regular file", "usage")
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise FileProblemError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: is it a settings file?", "usage")
    return content, status


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Read or replace, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "no_log": True},  # a settings file may hold a password
            "expected_sha256": {"type": "str"},
        },
        required_together=[("content", "expected_sha256")],
        supports_check_mode=True,
    )
    path = Path(os.path.realpath(module.params["path"]))
    try:
        if module.params["content"] is None:
            module.exit_json(changed=False, **read(path))
        content = base64.b64decode(module.params["content"])
        changed = replace(path, content, module.params["expected_sha256"], check=module.check_mode)
        module.exit_json(changed=changed, sha256=_digest(content))
    except FileProblemError as problem:
        module.fail_json(msg=str(problem), reason=problem.reason)
    except OSError as problem:
        verb = "read" if module.params["content"] is None else "replaced"
        module.fail_json(msg=f"{path} cannot be {verb}: {problem.strerror}", reason="refused")


if __name__ == "__main__":
    main()
