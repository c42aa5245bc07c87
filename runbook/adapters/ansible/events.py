"""Ansible's events, gathered into one result per host."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runbook.errors import ExitCode
from runbook.model.play import Collected, HostResult, HostState, WorkResult
from runbook.model.settings import Value

TAIL_LINES = 20
FINISHED = {0, 2, 4}
"""Ansible's own ends: all well, some failed, some unreachable. Any other one is a broken Ansible, or a killed one."""
NOTHING = "the play ended well, but brought nothing"


class Gathering:
    """Takes events as they come.

    Args:
        progress: told about each host as soon as it is known.
        works: is something done on the hosts, so that what they tell is no mere reading?
    """

    def __init__(self, progress: Callable[[str], None], *, works: bool = False) -> None:
        self._progress = progress
        self._works = works
        self._results: dict[str, HostResult] = {}
        self._several: dict[str, Mapping[str, Any]] = {}
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._begun: set[str] = set()
        self._dark: set[str] = set()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.unknown_hosts = ""

    @property
    def nothing_begun(self) -> bool:
        """Did no host get as far as being worked on?"""
        return not self._begun and not self._results and not self._dark

    @property
    def said(self) -> str:
        """The last lines of what Ansible said beside its events."""
        return "\n".join(self._tail)

    def take(self, event: Mapping[str, Any]) -> bool:
        """One event; False, so that ansible-runner does not keep it in a file."""
        data = event.get("event_data") or {}
        match event.get("event"):
            case "runner_on_start":
                self._begun.add(data["host"])
            case "runner_on_ok":
                result = data.get("res") or {}
                state = HostState.CHANGED if result.get("changed") else HostState.UNCHANGED
                self._settle(data["host"], state, result)
            case "runner_on_failed":
                self._settle(data["host"], HostState.FAILED, data.get("res") or {})
            case "runner_on_skipped":
                self._settle(data["host"], HostState.FAILED, {"msg": "the playbook skipped this host"})
            case "runner_on_unreachable":
                self._settle(data["host"], HostState.UNREACHABLE, data.get("res") or {})
            case "playbook_on_stats":
                self._dark.update(data.get("dark") or {})  # the only place where all unreachable hosts are
            case "verbose" | "error" | "warning" | "system_warning":
                self._tail.extend(line for line in str(event.get("stdout") or "").splitlines() if line.strip())
        return False

    def results(self, hosts: Sequence[str], status: int | None) -> tuple[HostResult, ...]:
        """Every host that was asked for, once, in that order; `status` is the exit code of Ansible."""
        return tuple(self._result(host, status) for host in dict.fromkeys(hosts))

    def of_setting(self, key: str, hosts: Sequence[str], status: int | None) -> tuple[HostResult, ...]:
        """The same of a play that set several settings at once: what that one was and is."""
        return tuple(
            replace(
                each, old=self._value_of(each.host, "old", key), read_back=self._value_of(each.host, "read_back", key)
            )
            for each in self.results(hosts, status)
        )

    def _value_of(self, host: str, word: str, key: str) -> Value | None:
        told = self._several.get(host, {}).get(word)
        return _value(told.get(key)) if isinstance(told, Mapping) else None

    def collected(self, hosts: Sequence[str], status: int | None) -> tuple[Collected, ...]:
        """What was read of every host that was asked for, once, in that order."""
        return tuple(self._collected(result) for result in self.results(hosts, status))

    def worked(self, hosts: Sequence[str], status: int | None) -> tuple[WorkResult, ...]:
        """What came of a work on every host that was asked for, once, in that order."""
        return tuple(self._worked(result) for result in self.results(hosts, status))

    def unseen(self, hosts: Sequence[str], status: int | None) -> list[str]:
        """Hosts that a play without waves never began with, although it came to its end: the inventory lacks them."""
        return [
            host for host in hosts if status in FINISHED and self._result(host, status).state is HostState.NOT_REACHED
        ]

    def _collected(self, result: HostResult) -> Collected:
        if not result.done:
            return Collected(result.host, None, result.message or result.state.value)
        document = self._documents.get(result.host)
        return Collected(result.host, document, result.message if document is not None else NOTHING)

    def _worked(self, result: HostResult) -> WorkResult:
        document = self._documents.get(result.host) or {}
        code, report = document.get("exit_code"), document.get("report")
        data = report.get("data") if isinstance(report, Mapping) else None
        known = code if isinstance(code, int) and code in set(ExitCode) else None  # a host may tell anything
        return WorkResult(result.host, result.state, known, data, result.message)

    def _result(self, host: str, status: int | None) -> HostResult:
        known = self._results.get(host)
        if known is not None:
            return known
        if host in self._dark:
            return HostResult(host, HostState.UNREACHABLE, message="Ansible could not reach it")
        if host in self._begun:
            return HostResult(host, HostState.FAILED, message="Ansible ended before it said what came of it")
        ended = "was killed" if status is None else f"ended with {status}"
        reason = "an earlier wave failed" if status in FINISHED else f"Ansible {ended} before its turn"
        return HostResult(host, HostState.NOT_REACHED, message=reason)

    def _settle(self, host: str, state: HostState, result: Mapping[str, Any]) -> None:
        message = str(result.get("msg") or "")
        if result.get("reason") == "unknown_host":
            self.unknown_hosts = message
        if isinstance(result.get("collected"), Mapping):
            self._documents[host] = result["collected"]
        if isinstance(result.get("old"), Mapping):
            self._several[host] = result
        settled = HostResult(host, state, _value(result.get("old")), _value(result.get("read_back")), message)
        earlier = self._results.get(host)
        if earlier is None or earlier.done:  # a failure is not mended by a task behind it
            self._results[host] = settled
        word = "read" if settled.done and host in self._documents and not self._works else state.value
        self._progress(f"{host}: {word}{f' ({message})' if message else ''}")


def _value(found: Any) -> Value | None:
    match found:
        case bool() | int() | float() | str():
            return found
        case list():
            return tuple(str(item) for item in found)
        case _:
            return None
