"""Plays that read on hosts: the numbers are the kernel's, nothing is changed, and bad luck has its reason."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.engram.ops.plugins.modules.process_memory import NoMemoryError, memory_of
from ansible_collections.engram.ops.plugins.plugin_utils import http_node
from ansible_collections.engram.ops.plugins.plugin_utils.collecting import LARGEST_DOCUMENT, collect
from ansible_fleet import CANARY, Fleet
from misbehaving_peer import answer, listening
from test_playbooks_by_hand import by_hand

from runbook.adapters.ansible import AnsiblePlays
from runbook.model.play import Collected, CollectRequest

CLOSE = 0.2
"""What a process may grow by while it is read."""


@pytest.fixture
def pid_files(fleet: Fleet, tmp_path: Path) -> Iterator[Path]:
    """The inventory names one pid file for all hosts, and for node-2 one that there is not."""
    path = tmp_path / "engram.pid"
    fleet.write_inventory(engram_pid_file=str(path), ansible_python_interpreter=sys.executable)
    document = yaml.safe_load(fleet.inventory.read_text())
    document["all"]["hosts"]["node-2"]["engram_pid_file"] = f"{path}.none"
    fleet.inventory.write_text(yaml.safe_dump(document))
    yield path
    fleet.write_inventory()


def read_memory(fleet: Fleet, mark: str, *hosts: str) -> tuple[Collected, ...]:
    """What `read_memory` brings of these hosts."""
    return AnsiblePlays(fleet.inventory).collect(CollectRequest("read_memory", hosts, mark), lambda _: None)


def test_memory_is_what_the_kernel_says(fleet: Fleet, pid_files: Path, mark: str) -> None:
    """Of the process that the pid file names, with or without its port, in bytes; and under --check just so.

    Of a host that has none there is the reason, and no document.
    """
    pid_files.write_text(f"{os.getpid()}:7432\n", encoding="ascii")
    os.utime(pid_files)
    found, none = read_memory(fleet, mark, "node-1", "node-2")
    assert (none.document, "cannot be read: No such file" in none.message) == (None, True), none
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    own = {line.partition(":")[0]: line.partition(":")[2].split() for line in status.splitlines()}
    assert found.document is not None, found.message
    assert found.document["pid"] == os.getpid()
    assert found.document["anonymous_bytes"] == pytest.approx(int(own["RssAnon"][0]) * 1024, rel=CLOSE)
    assert found.document["resident_bytes"] == pytest.approx(int(own["VmRSS"][0]) * 1024, rel=CLOSE)
    assert 0 < found.document["started_at"] < pid_files.stat().st_mtime + 1
    check = by_hand(fleet, "read_memory", "{}", "--check", "--limit", "node-1", "-v")
    assert "changed=0" in check.stdout
    assert '"anonymous_bytes"' in check.stdout


@pytest.mark.parametrize(
    ("content", "modified", "words"),
    [
        (None, None, "cannot be read: No such file"),
        ("", None, "holds no process id"),
        ("0", None, "holds no process id"),
        ("$(reboot)", None, "holds no process id"),
        ("4194305", None, "is gone"),
        ("OWN", 1e9, "of a server that ended"),
    ],
)
def test_a_pid_file_that_names_no_server_is_said_so(
    tmp_path: Path, content: str | None, modified: float | None, words: str
) -> None:
    """A process that only has the same number is not taken for the server."""
    path = tmp_path / "engram.pid"
    if content is not None:
        path.write_text(content.replace("OWN", str(os.getpid())), encoding="ascii")
    if modified is not None:
        os.utime(path, (modified, modified))
    with pytest.raises(NoMemoryError, match=re.escape(words)):
        memory_of(str(path))


def test_an_inventory_without_a_pid_file_is_said_so(fleet: Fleet, mark: str) -> None:
    """With the name of the variable that is missing."""
    fleet.write_inventory(ansible_python_interpreter=sys.executable)
    (found,) = read_memory(fleet, mark, "node-1")
    assert (found.document, "engram_pid_file" in found.message) == (None, True), found


def test_a_heap_is_read_under_check_too_and_no_token_is_shown(fleet: Fleet) -> None:
    """It changes nothing, so the check has nothing to leave out."""
    fleet.write_inventory()
    check = by_hand(fleet, "collect_heap", "{}", "--check", "-vvv")
    assert check.stdout.count("changed=0") == 3
    assert check.stdout.count('"resident_bytes"') == 3
    assert CANARY not in check.stdout + check.stderr


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (answer(404, b""), "not_supported", "not supported by this node"),
        (answer(200, {"x": "y" * LARGEST_DOCUMENT}), "broken", "too large to be collected"),
        (answer(200, {"x": "y" * (2 << 20)}), "broken", "1 MiB or more, and was cut off"),
        (answer(200, [1]), "broken", "instead of a JSON object"),
        (b"", "unreachable", "ended the connection"),
    ],
)
def test_a_heap_that_cannot_be_had_has_a_reason(reply: bytes, reason: str, words: str) -> None:
    """Never an empty document, never half of one."""
    with listening(lambda _peer, _request: reply) as peer:
        result = collect(http_node.HttpNode(peer.url, ""), "POST", "/api/v1/admin/heap")
    assert (result["collected"], result["reason"]) == (None, reason), result
    assert words in result["msg"]
    assert result["changed"] is False
