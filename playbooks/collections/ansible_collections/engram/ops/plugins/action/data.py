"""The action `engram.ops.data`; its options and results are documented beside it, in modules/data.py."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.plugin_utils.access import Reach, is_here, passed_over, with_python
from ansible_collections.engram.ops.plugins.plugin_utils.data_work import (
    KINDS,
    STATUS,
    VERIFY,
    Work,
    result_of,
    unchanged,
)
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

OPTIONS: dict[str, dict[str, Any]] = {
    "work": {"type": "str", "required": True, "choices": list(KINDS)},
    "target": {"type": "str", "default": "fleet"},
    "backup_by_host": {"type": "dict", "default": {}},
    "level": {"type": "int"},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "to": {"type": "str", "default": ""},
    "run_by_host": {"type": "dict", "default": {}},
    "reason": {"type": "str", "default": ""},
    "options": {"type": "list", "elements": "str", "default": []},
    "state_here": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """Decides in the controller what the host's own `runbook` is told, and hands its report on: never the data."""

    _task: Any
    _connection: Any
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """One work on one host; under --check it is only looked whether the command is there."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        if passed := passed_over(variables):
            return passed
        reach = Reach(variables, self._templar.template)
        try:
            work = self._work(options, reach)
            words = work.words()
            arguments = self._arguments(options, reach)
        except WayError as problem:
            return {"changed": False, "failed": True, "reason": problem.reason, "msg": str(problem)}
        if self._task.check_mode:
            done = self._on_host(arguments | {"arguments": ["--version"], "asks_a_node": False}, variables)
            if done.get("failed") or done.get("unreachable"):
                return result_of(work, done)
            return {"changed": work.kind != VERIFY, "msg": f"would run: {' '.join(['runbook', *words])}"}
        return self._done(work, arguments, variables)

    def _done(self, work: Work, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The work, for real; a migration that was begun or done before is not begun again."""

        def on_host(wanted: Work) -> dict[str, Any]:
            told = {"arguments": wanted.words(), "asks_a_node": wanted.asks_the_node}
            return self._on_host(arguments | told, variables)

        if work.needs_status:
            status = on_host(replace(work, kind=STATUS))
            left = work.after(status)
            if left is None:
                return unchanged(work, status)
            work = left
        return result_of(work, on_host(work))

    def _work(self, options: Mapping[str, Any], reach: Reach) -> Work:
        host = str(reach.variables["inventory_hostname"])
        return Work(
            kind=options["work"],
            backup=str(options["backup_by_host"].get(host, "")),
            folder=str(reach.variable("engram_backup_folder", "")),
            level=options["level"],
            recipients=options["recipients"],
            identity=str(reach.variable("engram_backup_identity", "")),
            to=options["to"],
            run=str(options["run_by_host"].get(host) or ""),  # Ansible may hand on an empty text as None
            reason=options["reason"],
            options=options["options"],
        )

    def _arguments(self, options: Mapping[str, Any], reach: Reach) -> dict[str, Any]:
        """What the module needs to know of the node, the same for whatever it is told to do."""
        usual = [str(Path(sys.executable).parent / "runbook")] if is_here(self._connection) else ["runbook"]
        command = reach.variable("engram_runbook", usual)
        name, state = str(reach.variables["inventory_hostname"]), options["state_here"]
        url = str(reach.variable("engram_host_url", reach.url))
        if not url:
            raise WayError("the inventory does not say engram_url for this host", "usage")
        return {
            "command": [command] if isinstance(command, str) else [str(word) for word in command],
            "node": name,
            "target": options["target"],
            "url": url,
            "allow_plain_http": reach.allows_plain_http,
            "state": f"{state}/hosts/{options['target']}/{name}" if state and is_here(self._connection) else "",
            **self._token(reach),
        }

    def _token(self, reach: Reach) -> dict[str, str]:
        """A file of the host's own where there is one; else what the controller's file holds."""
        own = reach.variable("engram_host_token_file", reach.token_file if reach.is_on_host else "")
        if own:
            return {"token_file": str(own)}
        if is_here(self._connection) and reach.token_file:
            return {"token_file": os.path.abspath(reach.token_path)}  # noqa: PTH100 - no link is followed
        token = reach.token
        return {"token": token} if token else {}

    def _on_host(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        variables = with_python(self._connection, variables)
        own, task = self._task, self._task.copy()
        task.check_mode = False  # what is run under --check was chosen for it
        self._task = task
        try:
            done: dict[str, Any] = self._execute_module("engram.ops.host_runbook", arguments, task_vars=variables)
        except AnsibleConnectionFailure as problem:
            return {"unreachable": True, "msg": problem.message}
        except AnsibleError as problem:  # such as a become password that is wrong
            return {"failed": True, "msg": problem.message}
        finally:
            self._task = own
        return done
