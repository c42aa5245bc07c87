"""The action `engram.ops.access_log`: runs the module of that name on the host, on this machine by this very Python."""

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.plugin_utils.access import with_python

MODULE = "engram.ops.access_log"


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """The module judges its arguments itself."""

    _task: Any
    _connection: Any
    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Count the log; under --check too, since nothing is changed by it."""
        super().run(tmp, task_vars)
        told = with_python(self._connection, task_vars or {})
        done: dict[str, Any] = self._execute_module(MODULE, dict(self._task.args), task_vars=told)
        return done
