"""The action `engram.ops.rollback`; its options and results are documented beside it, in modules/rollback.py."""

from typing import Any

from ansible_collections.engram.ops.plugins.action.setting import ActionModule as Setting
from ansible_collections.engram.ops.plugins.plugin_utils.access import Reach
from ansible_collections.engram.ops.plugins.plugin_utils.brake import FLAGS, one_by_one, together
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

OPTIONS: dict[str, dict[str, Any]] = {"what": {"type": "str", "required": True, "choices": list(FLAGS)}}


class ActionModule(Setting):
    """Runs in the controller, on the three ways of the action `setting`."""

    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Turn the flags of one node off. Never raises for what a node does."""
        super(Setting, self).run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        flags, check = FLAGS[options["what"]], bool(self._task.check_mode)
        reach = Reach(variables, self._templar.template)
        if not reach.url:
            return {"changed": False, "skipped": True, "skip_reason": "it has no engram_url", "msg": "no node"}
        try:
            if reach.variable("engram_way", "http") == "http":
                return together(reach.http_node(), flags, check=check)
            return one_by_one(lambda wish: self._way("feature", wish, variables), flags, check=check)
        except WayError as problem:
            return {"changed": False, "failed": True, "reason": problem.reason, "msg": str(problem)}
