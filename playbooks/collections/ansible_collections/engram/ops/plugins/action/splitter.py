"""The action `engram.ops.splitter`; its options and results are documented beside it, in modules/splitter.py."""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.module_utils.split_values import FIRST, KEYS, Split
from ansible_collections.engram.ops.plugins.plugin_utils.access import SPLITTER_URL, Reach, with_python
from ansible_collections.engram.ops.plugins.plugin_utils.change import Wish, apply, by_name
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError
from ansible_collections.engram.ops.plugins.plugin_utils.splitter_way import SEVERAL, SplitterWay
from ansible_collections.engram.ops.plugins.plugin_utils.values import plain, read_as

MODULE = "engram.ops.host_splitter"
TRIES = 3
"""On the way back, where another play changes the splitter in that moment: whatever it became, it goes back."""
OPTIONS: dict[str, dict[str, Any]] = {
    "key": {"type": "str", "default": "", "no_log": False},
    "value": {"type": "raw"},
    "value_by_host": {"type": "dict", "default": {}},
    "expected": {"type": "raw"},
    "expected_by_host": {"type": "dict", "default": {}},
    "settings": {"type": "dict", "default": {}},
    "stays": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """Decides in the controller what becomes of one splitter; a module on its host does it."""

    _task: Any
    _connection: Any
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Change the settings of one splitter. Never raises for what its nginx does."""
        super().run(tmp, task_vars)
        variables: dict[str, Any] = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        result: dict[str, Any] = {"key": options["key"], "changed": False}
        try:
            if why := self._why_not(options["value_by_host"], variables):
                return result | {"skipped": True, "skip_reason": why, "msg": why}
            wish = _wish(options, str(variables["inventory_hostname"]))
            inputs = {**self._inputs(variables), "stays": options["stays"]}
        except WayError as problem:
            return result | {"failed": True, "reason": problem.reason, "msg": str(problem)}
        tries = TRIES if options["stays"] and wish.expected is None else 1
        way = SplitterWay(lambda arguments, check: self._on_host(arguments, check, variables), inputs, tries)
        result = apply(way, wish, check=self._task.check_mode)
        return self._previewed(way, wish, result) if self._task.check_mode and result.get("diff") else result

    def _why_not(self, named: Iterable[str], variables: Mapping[str, Any]) -> str:
        """Why this host is passed over, or nothing. A name that the inventory does not have is an error everywhere."""
        names = set(named)
        if unknown := names.difference(variables["groups"]["all"]):
            what = f"not in the inventory: {', '.join(sorted(unknown))}; nothing was touched"
            raise WayError(what, "unknown_host")
        host = str(variables["inventory_hostname"])
        if names and host not in names:
            return "this host is not named"
        if SPLITTER_URL in variables:
            return ""
        if names:
            raise WayError(f"{host} is no splitter: the inventory has no {SPLITTER_URL} for it", "usage")
        return "this host is no splitter"

    def _inputs(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the inventory says of this splitter; the module on the host judges it."""
        reach = Reach(variables, self._templar.template)
        return {
            "file": str(reach.variable("engram_splitter_file", "/etc/nginx/conf.d/engram-split.conf")),
            "log": str(reach.variable("engram_splitter_log", "/var/log/nginx/engram-split.log")),
            "routes": _list(reach.variable("engram_splitter_routes", []), "engram_splitter_routes"),
            "default_space": str(reach.variable("engram_splitter_default_space", "default")),
            "authorities": str(reach.variable("engram_splitter_authorities", Split.authorities)),
            "readers": _list(reach.variable("engram_splitter_readers", []), "engram_splitter_readers"),
            "test_command": _words(reach, "engram_splitter_test_command", ["nginx", "-t"]),
            "reload_command": _words(reach, "engram_splitter_reload_command", ["nginx", "-s", "reload"]),
        }

    def _previewed(self, way: SplitterWay, wish: Wish, result: dict[str, Any]) -> dict[str, Any]:
        """The prediction, with what would become of the file, once nginx took it by itself."""
        try:
            file = way.preview(wish.key, result["new"])
        except WayError as problem:
            return result | {"failed": True, "changed": False, "reason": problem.reason, "msg": str(problem)}
        content = {"before_header": "the file", "after_header": "the file", **{n: file[n] for n in ("before", "after")}}
        return result | {"diff": [result["diff"], content]}

    def _on_host(self, arguments: dict[str, Any], check: bool, variables: dict[str, Any]) -> dict[str, Any]:  # noqa: FBT001 - as SplitterWay calls it
        """Runs the module there. Looking is done under --check too, so the check is kept from it.

        A connection that is lost is part of the result: the task must still be able to say what it had done by then.
        """
        own, self._task = self._task, self._task.copy()
        self._task.check_mode = check
        told = with_python(self._connection, variables)
        try:
            done: dict[str, Any] = self._execute_module(MODULE, arguments, task_vars=told)
        except AnsibleConnectionFailure as problem:
            return {"unreachable": True, "msg": problem.message}
        except AnsibleError as problem:  # such as a become password that is wrong
            return {"failed": True, "msg": problem.message}
        finally:
            self._task = own
        return done


def _wish(options: Mapping[str, Any], host: str) -> Wish:
    """One setting for this host, or several at once; a text is read as a value of the setting's type."""
    key = str(options["key"])
    if key:
        if key not in KEYS:
            raise WayError(f"{key} is not for a splitter, which has {', '.join(KEYS)}", "not_supported")
        value, expected = (plain(options[f"{name}_by_host"].get(host, options[name])) for name in ("value", "expected"))
        return Wish(key, read_as(value, FIRST[key]), read_as(expected, FIRST[key]))
    several = by_name(options["value_by_host"].get(host, options["settings"]))
    if unknown := several.keys() - set(KEYS):
        raise WayError(f"{', '.join(sorted(unknown))}: not for a splitter, which has {', '.join(KEYS)}", "usage")
    return Wish(SEVERAL, {name: read_as(value, FIRST[name]) for name, value in several.items()})


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise WayError(f"{name} must be a list", "usage")
    return list(value)


def _words(reach: Reach, name: str, usual: list[str]) -> list[str]:
    words = reach.variable(name, usual)
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise WayError(f"{name} must be a list of words, such as {usual}; it is run without a shell", "usage")
    return [str(word) for word in words]
