"""The module `host_runbook`: runs the `runbook` that is installed on the host, on the one node of that host."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: host_runbook
short_description: Run the runbook command of the host on its own node
description:
  - C(engram.ops.data) uses it. What the command reads and writes stays on the host; its report comes back.
  - The command gets a configuration whose only target has the host's node as its only one, in a folder that is
    removed at the end.
  - A token that is handed in is kept in memory only, for the command alone; it is in no file, no command line and no
    environment.
options:
  command:
    description: How C(runbook) is started, word by word. There is no shell.
    type: list
    elements: str
    required: true
  arguments:
    description: What it is told to do. C(--config) is added with I(asks_a_node).
    type: list
    elements: str
    required: true
  node:
    description: What the inventory calls the host.
    type: str
    required: true
  target:
    description: What the fleet is called.
    type: str
    required: true
  url:
    description: The address of the node, as the host reaches it.
    type: str
    default: ''
  token:
    description: The admin token of the node.
    type: str
  token_file:
    description: A file of the host that holds it, instead.
    type: str
    default: ''
  allow_plain_http:
    description: May the token go over plain http to another machine than the host?
    type: bool
    default: false
  state:
    description: The state folder of the command. Without it the command's own.
    type: str
    default: ''
  asks_a_node:
    description: Does the command take a configuration?
    type: bool
    default: true
attributes:
  check_mode:
    support: none
    description: It runs whatever it is told to.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Which version is installed there?
  engram.ops.host_runbook:
    command: [runbook]
    arguments: [--version]
    asks_a_node: false
    node: node-1
    target: fleet
"""

RETURN = r"""
collected:
  description:
    - C(exit_code) of the command.
    - C(report) is the document that it printed, C(error) the one that it told instead; null where there is none.
  type: dict
  returned: when the command could be run
reason:
  description: Why it failed, as a word; the name of the exit code, or not_supported, or broken.
  type: str
  returned: on failure
"""

LARGEST_DOCUMENT = 512 << 10
"""Bytes. ansible-runner drops results beyond 700,000 characters without a word."""
SHOWN = 500
DROPPED = ("RUNBOOK_TARGET", "RUNBOOK_CONFIG", "RUNBOOK_STATE")


class CannotRunError(Exception):
    """The command could not be run, or said nothing that can be understood."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def carry_out(given: dict[str, Any]) -> dict[str, Any]:
    """Run it to its end; its exit code, with its report or its error."""
    with tempfile.TemporaryDirectory(prefix="engram-runbook-") as folder:
        token = _in_memory(given["token"] or "")
        try:
            words = [*given["command"], *given["arguments"]]
            if given["asks_a_node"]:
                configuration = _configuration(Path(folder), given, token)
                words += ["--config", str(configuration)]
            done = _run(words, Path(folder), given["state"], token)
        finally:
            os.close(token)
    return _understood(done)


def _run(words: list[str], folder: Path, state: str, token: int) -> "subprocess.CompletedProcess[bytes]":
    environment = {name: text for name, text in os.environ.items() if name not in DROPPED}
    environment |= {"RUNBOOK_STATE": state} if state else {}
    try:
        return subprocess.run(  # noqa: S603 - what the inventory names, without a shell
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            pass_fds=[token],
        )
    except OSError as problem:
        what = f"{words[0]} cannot be run on this host: {problem.strerror}"
        raise CannotRunError(f"{what}; engram_runbook of the inventory names it", "not_supported") from None


def _in_memory(token: str) -> int:
    """A file that has no name anywhere and is gone with the last process that holds it."""
    descriptor = os.memfd_create("token")
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, token.encode("ascii"))
    return descriptor


def _configuration(folder: Path, given: dict[str, Any], token: int) -> Path:
    node = {"engram_url": given["url"]}
    file = f"/proc/self/fd/{token}" if given["token"] else given["token_file"]
    if file:
        node["engram_token_file"] = file
    inventory = {"all": {"hosts": {given["node"]: node}}}
    (folder / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    target = json.dumps(given["target"])
    lines = [
        "version = 1",
        f"default_target = {target}",
        f"[targets.{target}]",
        'environment = "one node of a fleet"',
        'inventory = "inventory.yml"',
        f"allow_plain_http = {json.dumps(given['allow_plain_http'])}",
    ]
    path = folder / "runbook.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _understood(done: "subprocess.CompletedProcess[bytes]") -> dict[str, Any]:
    found: dict[str, Any] = {"exit_code": done.returncode, "report": None, "error": None}
    talk = done.stderr.decode("utf-8", errors="replace")
    if len(done.stdout) > LARGEST_DOCUMENT:
        raise CannotRunError(f"its report of {len(done.stdout)} bytes is too large", "broken")
    if done.stdout.startswith(b"{"):
        try:
            return {**found, "report": json.loads(done.stdout)}
        except ValueError:
            raise CannotRunError("its report is no JSON", "broken") from None
    if not done.returncode:
        return found
    for line in reversed(talk.splitlines()):
        if line.startswith('{"error"'):
            return {**found, "error": json.loads(line)["error"]}
    said = talk.strip()[-SHOWN:] or "it said nothing"
    raise CannotRunError(f"it ended with {done.returncode} and without a report: {said}", "broken")


def main() -> None:
    """Run it, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "list", "elements": "str", "required": True},
            "arguments": {"type": "list", "elements": "str", "required": True},
            "node": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
            "url": {"type": "str", "default": ""},
            "token": {"type": "str", "no_log": True},
            "token_file": {"type": "str", "default": "", "no_log": False},  # a path
            "allow_plain_http": {"type": "bool", "default": False},
            "state": {"type": "str", "default": ""},
            "asks_a_node": {"type": "bool", "default": True},
        }
    )
    try:
        found = carry_out(module.params)
    except CannotRunError as problem:
        module.fail_json(msg=str(problem), reason=problem.reason)
    except OSError as problem:
        module.fail_json(msg=f"this host refused: {problem.strerror}", reason="refused")
    else:
        module.exit_json(changed=False, collected=found, msg=f"exit {found['exit_code']}")


if __name__ == "__main__":
    main()
