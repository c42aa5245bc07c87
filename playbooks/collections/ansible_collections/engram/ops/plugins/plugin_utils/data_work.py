"""What `runbook` is told to do on a host with its data, and how its answer becomes the result of a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

CREATE, VERIFY, RESTORE, ACTIVATE = "create", "verify", "restore", "activate"
MIGRATE, REVERT, FINALIZE = "migrate", "revert", "finalize"
KINDS = (CREATE, VERIFY, RESTORE, ACTIVATE, MIGRATE, REVERT, FINALIZE)
STATUS, RESUME = "status", "resume"
"""Of a migration; decided on the way."""
PROVES = {VERIFY, RESTORE, ACTIVATE}
"""What opens a backup."""


@dataclass(frozen=True)
class Work:
    """One work on one host.

    `backup` is the name or path of a backup of that host, `folder` where its backups are (empty: its usual place),
    `run` a migration in the journal of that host, `to` what its data becomes. `options` are more words for `runbook`.
    """

    kind: str
    backup: str = ""
    folder: str = ""
    level: int | None = None
    recipients: list[str] = field(default_factory=list)
    identity: str = ""
    to: str = ""
    run: str = ""
    reason: str = ""
    options: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        """What is said after `runbook`.

        Raises:
            WayError: a backup or a run must be named and is not, or a name is none.
        """
        for name in (self.backup, self.run):
            if name.startswith("-"):
                raise WayError(f"{name!r} is no name", "usage")
        if self.kind in {STATUS, RESUME}:
            return [*(["migrate", "status"] if self.kind == STATUS else ["resume", self.run]), "--json"]
        words = [*self._first(), *self.options, "--progress=none", "--json"]
        words += [f"--folder={self.folder}"] if self.folder and self._is_of_backups else []
        words += [f"--identity={self.identity}"] if self.identity and self.kind in PROVES else []
        words += [f"--reason={self.reason}"] if self.reason and self.kind not in {CREATE, VERIFY} else []
        return words

    def after(self, status: Mapping[str, Any]) -> "Work | None":
        """What is left to do, by the status of the last migration of that node; None where nothing is.

        One that was interrupted is carried to its end; so the same command may be given again and again. Going back
        from one whose run nobody knows is going back from the last one, if it is to that kind and has not gone back.
        """
        report = (status.get("collected") or {}).get("report")
        last = report.get("data") if isinstance(report, Mapping) else None
        if not isinstance(last, Mapping) or last.get("to") != self.to:
            return self if self.kind == MIGRATE else None
        if self.kind != MIGRATE:
            return replace(self, run=str(last.get("run"))) if last.get("status") in {"open", "done"} else None
        if last.get("status") == "open":
            return replace(self, kind=RESUME, run=str(last.get("run")))
        served = [str(each.get("serves")) for each in last.get("nodes") or []]
        done = last.get("status") == "done" and served and all(each.endswith(f"({self.to})") for each in served)
        return None if done else self

    @property
    def needs_status(self) -> bool:
        """Does it depend on the last migration of the node?"""
        return self.kind == MIGRATE or (self.kind in {REVERT, FINALIZE} and not self.run and bool(self.to))

    @property
    def asks_the_node(self) -> bool:
        """Is the node needed for it? A backup is verified where it lies."""
        return self.kind != VERIFY

    @property
    def _is_of_backups(self) -> bool:
        return self.kind in {CREATE, VERIFY, RESTORE, ACTIVATE}

    def _first(self) -> list[str]:
        match self.kind:
            case "create":  # waits: nodes of one machine may write into one folder, one after another
                return ["backup", "create", "--wait", *(f"--encrypt-to={each}" for each in self.recipients)]
            case "verify":
                level = [f"--level={self.level}"] if self.level is not None else []
                return ["backup", "verify", *([self.backup] if self.backup else []), *level]
            case "restore" | "activate":
                served = ["--activate", "--yes"] if self.kind == ACTIVATE else []
                return ["backup", "restore", _named(self.backup, "backup"), *served]
            case "migrate":
                of = [f"--backup={self.backup}"] if self.backup else []
                return ["migrate", f"--to={_named(self.to, 'kind of memory')}", *of, "--yes"]
            case _:
                return ["migrate", self.kind, *([_named(self.run, "run")] if not self.to or self.run else []), "--yes"]


def _named(name: str, what: str) -> str:
    if not name:
        raise WayError(f"no {what} is named for this host", "usage")
    return name


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
        return result | {
            "failed": True,
            "reason": "broken",
            "msg": f"the host's runbook printed no report of {work.kind}",
        }
    data = report.get("data") or {}
    if found["exit_code"]:
        words = f"{work.kind} ended with {found['exit_code']}: {report.get('meaning')}{_why(data)}"
        return result | {"failed": True, "reason": "refused", "msg": _cut(words)}
    changed = data.get("fresh") is True if work.kind == CREATE else work.kind != VERIFY
    return result | {"changed": changed, "msg": _cut(_told(work, data))}


def unchanged(work: Work, status: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the task where nothing was left to do."""
    if work.kind == MIGRATE:
        return result_of(work, status) | {"changed": False}
    done = {"exit_code": 0, "report": None, "error": None}
    return {"changed": False, "collected": done, "msg": f"there is no migration to {work.to} to go back from"}


def _why(data: Mapping[str, Any]) -> str:
    """What a migration says of its node."""
    problems = [str(each["problem"]) for each in data.get("nodes") or [] if each.get("problem")]
    return f" ({'; '.join(problems)})" if problems else ""


def _told(work: Work, data: Mapping[str, Any]) -> str:
    match work.kind:
        case "create" | "verify":
            proof = (data.get("proofs") or [{}])[0]
            same = "" if data.get("fresh", True) else ", which holds this very state already"
            return f"level {proof.get('level')} of {(proof.get('backup') or {}).get('name')}{same}"
        case "restore" | "activate":
            kept = f"it is served; {data.get('kept')} is kept" if data.get("activated") else "it is not served"
            newer = f"{data.get('written_since')} texts were written since the backup"
            return f"generation {data.get('generation')} holds it, read back; {kept}; {newer}"
        case _:
            node = (data.get("nodes") or [{}])[0]
            refused = f"; writes were refused for {node['refused_ms']:.0f} ms" if node.get("refused_ms") else ""
            return f"{data.get('run')} is {data.get('status')}, {node.get('records')} records{refused}"


def _cut(text: Any) -> str:
    return str(text).strip()[:500]
