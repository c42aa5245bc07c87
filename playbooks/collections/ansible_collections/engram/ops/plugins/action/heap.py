"""The action `engram.ops.heap`; its options and results are documented beside it, in modules/heap.py."""

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.plugin_utils.access import Reach, passed_over
from ansible_collections.engram.ops.plugins.plugin_utils.collecting import collect
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

PATH = "/api/v1/admin/heap"


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """Runs in the controller: no module is sent anywhere."""

    _task: Any
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset[str]()

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read what one node keeps in memory; under --check too, since nothing is changed by it."""
        super().run(tmp, task_vars)
        if passed := passed_over(task_vars or {}):
            return passed
        reach = Reach(task_vars or {}, self._templar.template)
        try:
            node = reach.http_node()
        except WayError as problem:
            return {"changed": False, "failed": True, "reason": problem.reason, "msg": str(problem)}
        return collect(node, "POST", PATH)
