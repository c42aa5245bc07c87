"""The way over a settings file: edited on the host, then the server is restarted; for servers without runtime flags."""

import time
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.host import FileState, Host
from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode
from ansible_collections.engram.ops.plugins.plugin_utils.http_way import HttpWay
from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.settings_text import SettingsText
from ansible_collections.engram.ops.plugins.plugin_utils.told import Told, as_like, is_healthy, told_by
from ansible_collections.engram.ops.plugins.plugin_utils.values import read_as, same, shown

PAUSE_SECONDS = 0.2
RESTARTING_SECONDS = 10.0
"""A server that does not answer may be in the middle of the restart that an interrupted play began."""
CLOCK_SECONDS = 1.0
"""A process that tells its start tells it this much too early at most: the kernel counts from a whole second."""


class FileWay:
    """Reads and writes one kind of setting of one node by its settings file.

    The value of a setting is the one that is in effect, not the one that stands in the file: a file that was edited,
    and a server that was not restarted since, are what an interruption leaves.

    Args:
        host: the file and the restart.
        node: the server, asked over HTTP from the controller.
        kind: config or feature.
        expected: what else the file may hold, as an interrupted change left it; None is anything.
    """

    def __init__(self, host: Host, node: HttpNode, kind: str, expected: Any) -> None:
        self._host, self._node = host, node
        self._runtime = HttpWay(node, kind)
        self._expected = expected
        self._file: FileState | None = None

    @property
    def retries(self) -> list[str]:
        """What was tried again, and why."""
        return self._node.retries

    def read(self, key: str, like: Any) -> Any:
        """The value in effect, from the node itself where it tells; else the file's, where the server is younger."""
        file = self._file = self._host.read()
        text, told = SettingsText(file.content, self._host.path), self._told_soon()
        in_file, in_effect = text.value(key), self._in_effect(key, like, told)
        if in_effect is None:
            if in_file is None:
                raise WayError(f"neither the node nor {self._host.path} has a value of {key}", "not_supported")
            if told.started_at is None:
                raise WayError("the node tells neither its settings nor when it started", "not_supported")
            return in_file
        fitting = [in_effect, read_as(like, in_effect), read_as(self._expected, in_effect)]
        if in_file is not None and self._expected is not None and not any(same(in_file, each) for each in fitting):
            what = f"{self._host.path} says {key} = {shown(in_file)}, and {shown(in_effect)} is in effect"
            raise WayError(f"{what}; someone edited it and did not restart the server", "conflict")
        return in_effect

    def settle(self, key: str, value: Any, *, check: bool) -> str:
        """Where the value is in effect, see that it lasts: the file must not bring another one back."""
        file, told = self._read_before(), told_by(self._node)
        text = SettingsText(file.content, self._host.path)
        in_file = text.value(key)
        if in_file is not None and not same(in_file, value):
            if not check:
                self._host.replace(file.sha256, text.with_value(key, value))
            return f"{key} = {shown(value)} is in effect, but {self._host.path} had {shown(in_file)}: put right"
        in_effect = self._in_effect(key, value, told)
        late = told.started_at is not None and told.started_at + CLOCK_SECONDS < file.modified_at
        if in_effect is None and late:
            if not check:
                self._restart(key, value, told)
            return f"{self._host.path} had {key} = {shown(value)} already, but the server was not restarted since"
        return ""

    def write(self, key: str, value: Any) -> None:
        """Edit the file, restart, wait until the server is well, and see that it took the value.

        Where one of these fails, the old file is put back, and the server restarted with it where it is not well.
        """
        file, told = self._read_before(), told_by(self._node)
        text = SettingsText(file.content, self._host.path)
        self._refuse_others(key, text, told)
        content = text.with_value(key, value)
        written = self._host.replace(file.sha256, content) if content != file.content else file.sha256
        try:
            self._restart(key, value, told)
        except UnreachableNodeError:
            raise  # the host is gone: nothing can be put back there
        except WayError as problem:
            raise WayError(f"{problem}; {self._take_back(file, written)}", problem.reason) from None

    def _told_soon(self) -> Told:
        deadline = time.monotonic() + RESTARTING_SECONDS
        while True:
            try:
                return told_by(self._node)
            except UnreachableNodeError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _read_before(self) -> FileState:
        """The file as it was decided upon: it is only replaced where it still is that one."""
        return self._host.read() if self._file is None else self._file

    def _restart(self, key: str, value: Any, before: Told) -> None:
        self._host.restart()
        told = self._well_again(before)
        in_effect = self._in_effect(key, value, told)
        if in_effect is None and (told.started_at is None or told.started_at == before.started_at):
            raise WayError(f"the server does not tell {key}, nor that it was restarted", "not_supported")
        if in_effect is not None and not same(in_effect, value):
            what = f"{self._host.path} has {key} = {shown(value)}, but the restarted server says {shown(in_effect)}"
            raise WayError(what, "ignored")

    def _well_again(self, before: Told) -> Told:
        """What the node tells once it answers, is well, and is another process than before."""
        deadline = time.monotonic() + self._host.start_seconds
        why = "it does not answer"
        while time.monotonic() < deadline:
            try:
                if is_healthy(self._node):
                    told = told_by(self._node)
                    if before.started_at is None or told.started_at != before.started_at:
                        return told
                    why = "it is still the process of before"
                else:
                    why = "it says that it is not well"
            except WayError as problem:
                why = str(problem)
            time.sleep(PAUSE_SECONDS)
        raise WayError(f"the server was not well again within {self._host.start_seconds:g} s of its restart: {why}")

    def _take_back(self, file: FileState, written: str) -> str:
        """Put the old file back, and restart the server with it where it is not well; what came of it."""
        try:
            if written != file.sha256:
                self._host.replace(written, file.content)
            if self._is_well():
                return "the settings file is as it was, and the server is well"
            self._host.restart()
            self._well_again(Told({}, None))
        except WayError as problem:
            return f"AND IT IS NOT AS IT WAS: {problem}"
        return "the settings file is as it was, and the server was restarted with it"

    def _is_well(self) -> bool:
        try:
            return is_healthy(self._node)
        except WayError:
            return False

    def _refuse_others(self, key: str, text: SettingsText, told: Told) -> None:
        """A restart brings all of the file into effect: it must be nothing else, unless anything may be there."""
        if self._expected is None:  # by hand, or in an emergency: then nothing may stand in the way
            return
        for other in text.keys(key.partition(".")[0]):
            in_file, in_effect = text.value(other), as_like(told.values.get(other), text.value(other))
            if other != key and in_effect is not None and not same(in_file, in_effect):
                what = f"a restart would also change {other} from {shown(in_effect)} to {shown(in_file)}"
                raise WayError(f"{what}, which stands in {self._host.path}", "conflict")

    def _in_effect(self, key: str, like: Any, told: Told) -> Any:
        """The value that the running server says it has, or None where it does not tell."""
        if key in told.values:
            return as_like(told.values[key], like)
        try:
            return self._runtime.read(key, like)
        except UnreachableNodeError:
            raise
        except WayError:
            return None
