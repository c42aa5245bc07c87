"""What `runbook` is told to do on a host with its backups, and how its answer becomes the result of a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

CREATE, VERIFY, RESTORE = "create", "verify", "restore"
NEEDS_A_NAME = {RESTORE}


@dataclass(frozen=True)
class Work:
    """One work on one host.

    `backup` is the name of a backup of that host, `folder` where its backups are (empty: its usual place).
    """

    kind: str
    backup: str = ""
    folder: str = ""
    level: int | None = None
    recipients: list[str] = field(default_factory=list)
    identity: str = ""
    activate: bool = False

    def words(self) -> list[str]:
        """What is said after `runbook`.

        Raises:
            WayError: a backup must be named and is not, or the name is none.
        """
        if self.kind in NEEDS_A_NAME and not self.backup:
            raise WayError("no backup is named for this host", "usage")
        if self.backup.startswith("-"):
            raise WayError(f"{self.backup!r} is no name of a backup", "usage")
        words = ["backup", self.kind, *([self.backup] if self.backup else [])]
        if self.kind == CREATE:
            words += ["--wait"]  # several nodes of one machine write into one folder, one after another
        words += [f"--folder={self.folder}"] if self.folder else []
        words += [f"--level={self.level}"] if self.level is not None and self.kind == VERIFY else []
        words += [f"--encrypt-to={each}" for each in self.recipients] if self.kind == CREATE else []
        words += [f"--identity={self.identity}"] if self.identity and self.kind != CREATE else []
        words += ["--activate", "--yes"] if self.activate and self.kind == RESTORE else []
        return [*words, "--progress=none", "--json"]

    @property
    def asks_the_node(self) -> bool:
        """Is the node needed for it? A backup is verified where it lies."""
        return self.kind != VERIFY


def result_of(work: Work, done: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the task, where the module `host_runbook` brought this."""
    if done.get("unreachable"):
        return {"changed": False, "unreachable": True, "reason": "unreachable", "msg": str(done.get("msg") or "")}
    found = done.get("collected")
    if done.get("failed") or not isinstance(found, Mapping):
        said = done.get("msg") or done.get("module_stderr") or done.get("module_stdout") or "no message"
        return {"changed": False, "failed": True, "reason": str(done.get("reason") or "broken"), "msg": _cut(said)}
    error, report = found.get("error"), found.get("report")
    result: dict[str, Any] = {"changed": False, "collected": dict(found)}
    if isinstance(error, Mapping):
        hint = f" ({error['hint']})" if error.get("hint") else ""
        return result | {"failed": True, "reason": str(error.get("name")), "msg": _cut(f"{error['message']}{hint}")}
    if not isinstance(report, Mapping):
        return result | {"failed": True, "reason": "broken", "msg": f"runbook backup {work.kind} printed no report"}
    data = report.get("data") or {}
    if found["exit_code"]:
        words = f"runbook backup {work.kind} ended with {found['exit_code']}: {report.get('meaning')}"
        return result | {"failed": True, "reason": "refused", "msg": _cut(words)}
    changed = data.get("fresh") is True if work.kind == CREATE else work.kind == RESTORE
    return result | {"changed": changed, "msg": _told(work, data)}


def _told(work: Work, data: Mapping[str, Any]) -> str:
    proofs = data.get("proofs") or []
    if not proofs:
        return f"{work.kind}: done"
    level, name = proofs[0].get("level"), (proofs[0].get("backup") or {}).get("name")
    same = "" if data.get("fresh", True) else ", which holds this very state already"
    return f"level {level} of {name}{same}"


def _cut(text: Any) -> str:
    return str(text).strip()[:500]
