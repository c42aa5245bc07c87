"""The module `host_splitter`: runs on the splitter's host; renders, checks, places, reloads, and reads back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.engram.ops.plugins.module_utils.split_change import carry_out, is_taken
from ansible_collections.engram.ops.plugins.module_utils.split_file import alone, content_of, kept_beside
from ansible_collections.engram.ops.plugins.module_utils.split_nginx import (
    Running,
    ask,
    check_alone,
)
from ansible_collections.engram.ops.plugins.module_utils.split_render import (
    DIGEST,
    INPUTS,
    LISTEN,
    is_foreign,
    made_of,
    rendered,
    treats_no_more,
)
from ansible_collections.engram.ops.plugins.module_utils.split_values import FIRST, KEYS, Split, SplitError, split_of

DOCUMENTATION = r"""
module: host_splitter
short_description: Look at the nginx that splits a fleet's traffic, or change what it splits by
description:
  - The action C(engram.ops.splitter) uses it; what becomes of the settings is decided in the controller.
  - A candidate is checked by itself, put in the place of the old file atomically, the whole configuration is checked,
    nginx is reloaded, and asked until it tells the new values. Where one of these fails, the old file is put back.
  - On the way back (I(stays)) it is not, as an nginx that is down or late would come up with its old share.
options:
  values:
    description: The three settings by name. Without them it is only looked.
    type: dict
  like:
    description: What is to become of them, to look whether nginx and the file are so already.
    type: dict
    default: {}
  expected_running:
    description: The digest that the running nginx told when it was looked at; empty where it told none.
    type: str
    default: ""
  stays:
    description:
      - Leave the new file there where nginx did not load it, or was not seen to, if it treats nobody whom the old one
        does not. It fails all the same.
      - Where nginx takes its whole configuration with the old file and not with the new one, the old one is put back.
    type: bool
    default: false
  file:
    description: The file that the C(http) block of nginx' main configuration includes.
    type: path
    required: true
  log:
    description: The access log.
    type: str
    required: true
  routes:
    description: Where it listens, and which nodes are behind it.
    type: list
    elements: dict
    required: true
  default_space:
    description: The space of a request that names none, as on the nodes.
    type: str
    default: default
  authorities:
    description: The authorities that certificates of nodes are checked with, where these are reached over https.
    type: str
    default: /etc/ssl/certs/ca-certificates.crt
  readers:
    description: Who may read back what it splits by, beside this host itself; addresses or networks.
    type: list
    elements: str
    default: []
  test_command:
    description: The command that checks the whole configuration; run without a shell.
    type: list
    elements: str
    required: true
  reload_command:
    description: The command that has nginx load it; run without a shell.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    description: The candidate is checked by itself; nothing is placed or reloaded.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Look what the nginx of this host splits by
  engram.ops.host_splitter:
    file: /etc/nginx/conf.d/engram-split.conf
    log: /var/log/nginx/engram-split.log
    routes:
      - listen: "8432"
        control: ["http://127.0.0.1:7432"]
    test_command: [nginx, -t]
    reload_command: [nginx, -s, reload]
"""

RETURN = r"""
values:
  description: The three settings, as the running nginx tells them; where it tells none, as the file does.
  type: dict
  returned: on success
base:
  description:
    - What settings that are not to be changed are made of. The same; or, on the way back, those of the file, where that
      treats nobody whom the running nginx does not.
  type: dict
  returned: when it is only looked
running:
  description: The digest of the configuration that the running nginx has; empty where it tells none.
  type: str
  returned: on success
why_not:
  description: Why the running nginx tells nothing.
  type: str
  returned: when it is only looked
settled:
  description: Are the file and the running nginx as these inputs would make them?
  type: bool
  returned: when it is only looked
before:
  description: The old content of the file.
  type: str
  returned: under check
after:
  description: The new content of the file.
  type: str
  returned: under check
reason:
  description: Why it failed; one of usage, refused, not_supported, conflict, ignored, broken.
  type: str
  returned: on failure
"""

_ADDRESS = re.compile(r"(?:[^\s/]*:)?[0-9]{1,5}")


def look(given: Mapping[str, Any]) -> "dict[str, Any]":
    """What this splitter splits by, and whether its file and its nginx are as they would be made.

    Raises:
        SplitError: an input, or the file, is not as it must be.
    """
    path = Path(given["file"])
    content = content_of(path)
    running = _running(given, path)
    if is_foreign(content) and not (given["stays"] and running.digest):  # where it splits, it goes back
        raise SplitError(f"{path} was not written by this play: engram_splitter_file names a file of its own")
    kept = {key: value for key, value in made_of(content).items() if key in KEYS}
    values = {**FIRST, **(running.values or kept)}
    wanted = rendered(_split(given, {**values, **given["like"]}))
    settled = content == wanted and running.digest == made_of(wanted)[DIGEST] and not kept_beside(path).exists()
    lower = given["stays"] and len(kept) == len(KEYS) and treats_no_more(kept, running.values)
    base = kept if lower else values
    return {
        "values": values,
        "base": base,
        "running": running.digest,
        "why_not": running.why_not,
        "settled": settled,
    }


def change(given: Mapping[str, Any], *, check: bool) -> "dict[str, Any]":
    """Make it so, where the running nginx is still the one that was looked at.

    Raises:
        SplitError: it cannot be done; then the old file is in its place, or the message says that it is not.
    """
    path, split = Path(given["file"]), _split(given, given["values"])
    content = rendered(split)
    try:
        check_alone(split, given["test_command"])
    except SplitError as problem:
        if check or not given["stays"] or problem.reason not in {"refused", "broken"}:
            raise
        if problem.reason == "refused" and is_taken(given["test_command"]):
            raise
        # It does not end; or refuses what is there, too, such as a node's name that nobody resolves just now.
    if check:
        return {"values": dict(split.values), "before": content_of(path), "after": content}
    with alone(path.parent):
        if _running(given, path).digest != given["expected_running"]:
            raise SplitError("this splitter was changed since it was looked at; nothing was touched", "conflict")
        found = carry_out(given, path, split.routes[0].listen, content)
    return {"values": dict(found.values), "running": found.digest}


def _running(given: Mapping[str, Any], path: Path) -> Running:
    """What the running nginx tells: where the file says that it listens, or the file of before, or the inputs."""
    found = Running({}, "", "there is no route")
    for listen in dict.fromkeys(_addresses(given, path)):
        found = ask(listen)
        if found.digest:
            break
    return found


def _addresses(given: Mapping[str, Any], path: Path) -> Iterator[str]:
    for file in (path, kept_beside(path)):
        listen = made_of(content_of(file)).get(LISTEN)
        if isinstance(listen, str) and _ADDRESS.fullmatch(listen):
            yield listen
    yield _split(given, FIRST).routes[0].listen


def _split(given: Mapping[str, Any], values: Mapping[str, Any]) -> Split:
    """On the way back, an inventory that somebody broke since is no reason to stop: the file knows what it was."""
    try:
        return split_of(values, given)
    except SplitError:
        known = made_of(content_of(Path(given["file"]))).get(INPUTS)
        if not given["stays"] or not isinstance(known, dict):
            raise
        return split_of(values, {**given, **known})


def main() -> None:
    """Look or change, and say what came of it."""
    words = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "values": {"type": "dict"},
            "like": {"type": "dict", "default": {}},
            "expected_running": {"type": "str", "default": ""},
            "stays": {"type": "bool", "default": False},
            "file": {"type": "path", "required": True},
            "log": {"type": "str", "required": True},
            "routes": {"type": "list", "elements": "dict", "required": True},
            "readers": {"type": "list", "elements": "str", "default": []},
            "default_space": {"type": "str", "default": "default"},
            "authorities": {"type": "str", "default": Split.authorities},
            "test_command": words,
            "reload_command": words,
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        found = look(given) if given["values"] is None else change(given, check=module.check_mode)
    except SplitError as problem:
        module.fail_json(msg=str(problem), reason=problem.reason)
    except OSError as problem:  # such as no room for the check by itself
        module.fail_json(msg=f"this host refused: {problem.strerror}; nothing was touched", reason="refused")
    else:
        module.exit_json(changed=given["values"] is not None, **found)


if __name__ == "__main__":
    main()
