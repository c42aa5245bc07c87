"""The action `engram.ops.setting`; its options and results are documented beside it, in modules/setting.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.plugin_utils.access import Reach, passed_over, restart_of
from ansible_collections.engram.ops.plugins.plugin_utils.change import Way, Wish, apply, apply_each, by_name
from ansible_collections.engram.ops.plugins.plugin_utils.cli_way import CliWay
from ansible_collections.engram.ops.plugins.plugin_utils.file_way import FileWay
from ansible_collections.engram.ops.plugins.plugin_utils.host import Host, RunModule, command_of
from ansible_collections.engram.ops.plugins.plugin_utils.http_way import HttpWay
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError
from ansible_collections.engram.ops.plugins.plugin_utils.values import plain

OPTIONS: dict[str, dict[str, Any]] = {
    "kind": {"type": "str", "required": True, "choices": ["feature", "config"]},
    "key": {"type": "str", "default": "", "no_log": False},
    "value": {"type": "raw"},
    "value_by_host": {"type": "dict", "default": {}},
    "expected": {"type": "raw"},
    "expected_by_host": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """Runs in the controller: by http no module is sent anywhere, so that a node costs 11 ms instead of 200."""

    _task: Any
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Change one setting of one node, or several. Never raises for what a node does."""
        super().run(tmp, task_vars)
        variables: Mapping[str, Any] = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        host = str(variables["inventory_hostname"])
        key, check = str(options["key"]), bool(self._task.check_mode)
        result: dict[str, Any] = {"key": key, "changed": False}
        if not options["value_by_host"] and (passed := passed_over(variables)):
            return result | passed
        try:
            if not self._is_meant(options["value_by_host"], variables):
                return result | {"skipped": True, "skip_reason": "this host is not named", "msg": "not named"}
            wishes = _wishes(key, options, host)
            ways = {wish.key: self._way(str(options["kind"]), wish, variables) for wish in wishes}
        except WayError as problem:
            return result | {"failed": True, "reason": problem.reason, "msg": str(problem)}
        if key:
            return apply(ways[key], wishes[0], check=check)
        return result | apply_each(lambda wish: ways[wish.key], wishes, check=check)

    def _is_meant(self, hosts: Iterable[str], variables: Mapping[str, Any]) -> bool:
        """Is this host among the named ones? A name that the inventory does not have is an error everywhere."""
        named = set(hosts)
        unknown = named.difference(variables["groups"]["all"])
        if unknown:
            raise WayError(f"not in the inventory: {', '.join(sorted(unknown))}; nothing was touched", "unknown_host")
        return not named or variables["inventory_hostname"] in named

    def _way(self, kind: str, wish: Wish, variables: Mapping[str, Any]) -> Way:
        reach = Reach(variables, self._templar.template)
        match reach.variable("engram_way", "http"):
            case "http":
                return HttpWay(reach.http_node(), kind)
            case "cli":
                command = reach.variable("engram_command", "engram")
                words = [command] if isinstance(command, str) else [str(word) for word in command]
                environment = {"ENGRAM_URL": reach.url, "ENGRAM_TOKEN_FILE": reach.token_file}
                run_module = self._on_host(environment, dict(variables))
                return CliWay(lambda words: run_module("ansible.legacy.command", command_of(words)), words)
            case "file":
                host = Host(self._on_host({}, dict(variables)), *restart_of(reach))
                return FileWay(host, reach.http_node(), kind, wish.expected)
            case other:
                raise WayError(f"engram_way is http, cli or file, not {other!r}", "usage")

    def _on_host(self, environment: Mapping[str, str], variables: dict[str, Any]) -> RunModule:
        """Runs modules on the host. Reading is done under --check too, so the check is kept from it.

        A connection that is lost is part of the result: the task must still be able to say what it had done by then.
        """
        task = self._task.copy()
        task.check_mode = False
        task.environment = [*(task.environment or []), {name: text for name, text in environment.items() if text}]

        def run_module(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            own, self._task = self._task, task
            try:
                done: dict[str, Any] = self._execute_module(name, arguments, task_vars=variables)
            except AnsibleConnectionFailure as problem:
                return {"unreachable": True, "msg": problem.message}
            except AnsibleError as problem:  # such as a become password that is wrong
                return {"failed": True, "rc": None, "msg": problem.message}
            finally:
                self._task = own
            return done

        return run_module


def _wishes(key: str, options: Mapping[str, Any], host: str) -> Sequence[Wish]:
    """One setting for this host, or without a key several by name, whatever they were before."""
    value, expected = (plain(options[f"{name}_by_host"].get(host, options[name])) for name in ("value", "expected"))
    if key:
        return [Wish(key, value, expected)]
    return [Wish(name, each) for name, each in by_name(value).items()]
