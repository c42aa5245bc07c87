"""The action `engram.ops.fetch`; its options and results are documented beside it, in modules/fetch.py."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.engram.ops.plugins.plugin_utils.access import with_python
from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError

MANIFEST = "MANIFEST.json"
FILE = re.compile(
    rf"{re.escape(MANIFEST)}|(records|residue)-[0-9]{{5}}\.ndjson\.zst(\.age)?|schema/[a-z_]+\.v[0-9]+\.schema\.json"
)
OPTIONS: dict[str, dict[str, Any]] = {
    "backup_by_host": {"type": "dict", "required": True},
    "into_by_host": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible carries no types
    """File by file over the connection: never through a result, and never more than one at a time."""

    _task: Any
    _connection: Any
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(OPTIONS)

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fetch the backup of one host."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        host = str(variables["inventory_hostname"])
        try:
            path, into = (_named(options[name], host) for name in OPTIONS)
            sizes = self._sizes(path, variables)
            if not self._task.check_mode:
                self._fetch(path, Path(into), sizes)
        except UnreachableNodeError as problem:
            return {"changed": False, "unreachable": True, "reason": problem.reason, "msg": str(problem)}
        except WayError as problem:
            return {"changed": False, "failed": True, "reason": problem.reason, "msg": str(problem)}
        return {"changed": True, "msg": f"{len(sizes)} files, {sum(sizes.values())} bytes"}

    def _sizes(self, path: str, variables: dict[str, Any]) -> dict[str, int]:
        """The files of the backup with their sizes, the manifest last."""
        wanted = {"paths": [path], "recurse": True, "file_type": "any", "hidden": True}
        task, self._task = self._task, self._task.copy()
        self._task.check_mode = False  # it only looks
        try:
            told = with_python(self._connection, variables)
            done = self._execute_module("ansible.legacy.find", wanted, task_vars=told)
        except AnsibleConnectionFailure as problem:
            raise UnreachableNodeError(problem.message) from None
        finally:
            self._task = task
        if done.get("unreachable"):
            raise UnreachableNodeError(str(done.get("msg") or "no connection to the host"))
        if done.get("failed"):
            raise WayError(str(done.get("msg") or done.get("module_stderr") or "find failed")[:500])
        found = {os.path.relpath(each["path"], path): each for each in done.get("files") or []}
        files = {name: int(each["size"]) for name, each in found.items() if each.get("isreg")}
        if MANIFEST not in files:
            raise WayError(f"there is no backup {path} on this host", "usage")
        if odd := [name for name in files if not FILE.fullmatch(name)]:
            raise WayError(f"{path} holds {odd[0]!r}, which no backup has", "refused")
        return dict(sorted(files.items(), key=lambda item: (item[0] == MANIFEST, item[0])))

    def _fetch(self, path: str, into: Path, sizes: Mapping[str, int]) -> None:
        try:
            (into / "schema").mkdir(mode=0o700, exist_ok=True)
            for name, size in sizes.items():
                target = into / name
                self._connection.fetch_file(f"{path}/{name}", str(target))
                target.chmod(0o600)
                if target.stat().st_size != size:
                    raise WayError(f"{name} came with {target.stat().st_size} bytes instead of {size}")
        except AnsibleConnectionFailure as problem:
            raise UnreachableNodeError(problem.message) from None
        except AnsibleError as problem:
            raise WayError(problem.message, "refused") from None
        except OSError as problem:
            raise WayError(f"{into} does not take it: {problem.strerror}", "refused") from None


def _named(by_host: Mapping[str, Any], host: str) -> str:
    found = str(by_host.get(host) or "")
    if not found.startswith("/"):
        raise WayError("backup_by_host and into_by_host need whole paths for every host", "usage")
    return found.rstrip("/")
