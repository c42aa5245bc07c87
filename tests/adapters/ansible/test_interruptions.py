"""A play that is killed, cancelled or left behind: what is known of it, and that nothing of it lives on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from misbehaving_peer import answer, listening, silence
from play_traces import KEY, RUN_ONE, inventory_of, leftovers, processes

from runbook.adapters.ansible import AnsiblePlays
from runbook.errors import InterruptedRunError
from runbook.model.play import HostState, PlayRequest


def start_hanging_play(inventory: Path, mark: str) -> "subprocess.Popen[str]":
    """A play in a process of its own."""
    command = [sys.executable, "-c", RUN_ONE, str(inventory), "one", "0.05", mark]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_play_that_is_killed_says_which_hosts_it_is_sure_of(tmp_path: Path, mark: str) -> None:
    """Ansible is killed in the second wave: the first host is done, the second uncertain, the third not begun."""

    def kill(_peer: object, request: bytes) -> bytes:
        if b"/two/" not in request:
            return answer(200, {KEY: 0.05})
        for process in processes(mark):
            os.kill(process, signal.SIGKILL)
        return b""

    with listening(kill) as peer:
        inventory = tmp_path / "inventory.yml"
        hosts = ", ".join(f"{host}: {{engram_url: '{peer.url}/{host}'}}" for host in ("one", "two", "three"))
        inventory.write_text(f"all: {{hosts: {{{hosts}}}}}\n", encoding="utf-8")
        values = dict.fromkeys(("one", "two", "three"), 0.05)
        request = PlayRequest("set_config", tuple(values), KEY, values, mark)
        result = AnsiblePlays(inventory).run(request, lambda _line: None)
    states = [host.state for host in result.hosts]
    assert states == [HostState.UNCHANGED, HostState.FAILED, HostState.NOT_REACHED]
    assert result.of("two").message == "Ansible ended before it said what came of it"
    assert result.of("three").message == "Ansible was killed before its turn"
    assert processes(mark) == {}


def test_when_this_tool_is_killed_its_play_can_be_ended(tmp_path: Path, mark: str) -> None:
    """Kill -9 in the middle: the play lives on, until it is ended by its mark; its folder goes too."""
    asked = threading.Event()

    def script(peer: Any, _request: bytes) -> Iterator[bytes]:
        asked.set()
        return silence(peer)

    with listening(script) as peer:
        with start_hanging_play(inventory_of(tmp_path, peer.url), mark) as process:
            assert asked.wait(30)
            process.kill()
        assert len(processes(mark)) >= 2
        assert leftovers(mark)
        plays = AnsiblePlays(tmp_path / "inventory.yml")
        assert plays.stop_orphans(mark) >= 2
        assert processes(mark) == {}
        assert leftovers(mark) == []
        assert plays.stop_orphans(mark) == 0


def test_a_play_of_a_living_process_can_be_ended_and_that_one_tells_what_came_of_it(tmp_path: Path, mark: str) -> None:
    """As the emergency brake does: nothing of the play is left, and whoever began it is told, not confused."""
    asked = threading.Event()

    def script(peer: Any, _request: bytes) -> Iterator[bytes]:
        asked.set()
        return silence(peer)

    with listening(script) as peer, start_hanging_play(inventory_of(tmp_path, peer.url), mark) as process:
        assert asked.wait(30)
        assert AnsiblePlays(tmp_path / "inventory.yml").end(mark) >= 2
        assert processes(mark) == {}
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
    assert out == "failed\n"
    assert leftovers(mark) == []


def test_ctrl_c_ends_the_play_and_everything_of_it(tmp_path: Path, mark: str) -> None:
    """Cancelled is stopped: no worker goes on changing nodes behind our back."""
    asked = threading.Event()

    def script(peer: Any, _request: bytes) -> Iterator[bytes]:
        asked.set()
        return silence(peer)

    with listening(script) as peer, start_hanging_play(inventory_of(tmp_path, peer.url), mark) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        assert output.startswith(InterruptedRunError.__name__)
        assert processes(mark) == {}
        assert leftovers(mark) == []
