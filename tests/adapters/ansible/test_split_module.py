"""What the module on a splitter's host does when something is wrong: the old file is there, and nginx goes on."""

import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.engram.ops.plugins.module_utils import split_nginx
from ansible_collections.engram.ops.plugins.module_utils.split_file import Placing, kept_beside
from ansible_collections.engram.ops.plugins.module_utils.split_nginx import ask
from ansible_collections.engram.ops.plugins.module_utils.split_render import made_of
from ansible_collections.engram.ops.plugins.module_utils.split_values import (
    FIRST,
    RATE,
    SALT,
    SPACES,
    SplitError,
    split_of,
)
from ansible_collections.engram.ops.plugins.modules.host_splitter import change, look
from nginx_server import Nginx, nginx
from peers import closed_port

NOBODY = 65534
ROUTE = {"listen": "127.0.0.1:80", "control": ["http://127.0.0.1:1"]}


class Host:
    """One splitter's host, with what its inventory says."""

    def __init__(self, server: Nginx, listen: str) -> None:
        self.server, self.listen = server, listen
        self.inputs: dict[str, Any] = {
            "file": str(server.file),
            "log": str(server.log),
            "routes": [{"listen": listen, "control": ["http://127.0.0.1:1"]}],
            "readers": [],
            "stays": False,
            "test_command": server.command("-t"),
            "reload_command": server.command("-s", "reload"),
        }

    def look(self, **other: Any) -> dict[str, Any]:
        """What is there."""
        return look({**self.inputs, "like": {}, **other})

    def set(self, share: float, **other: Any) -> dict[str, Any]:
        """Change the share, as it was looked at just before."""
        return self.change({RATE: share}, **other)

    def change(self, values: Mapping[str, Any], **other: Any) -> dict[str, Any]:
        """Change some of the values, as they were looked at just before."""
        given = {**self.inputs, **other}
        found = look({**given, "like": {}})
        given |= {"values": {**found["base"], **values}, "expected_running": found["running"]}
        return change(given, check=False)

    @property
    def written(self) -> dict[str, Any]:
        """What the file was made of: what nginx splits by when it is started."""
        made = made_of(self.server.file.read_text())
        return {key: made[key] for key in FIRST}

    @property
    def state(self) -> tuple[Mapping[str, Any], str, bytes]:
        """What the running nginx tells, and the file."""
        running = ask(self.listen)
        return running.values, running.digest, self.server.file.read_bytes()

    @property
    def names(self) -> list[str]:
        """Everything in the folder of the file."""
        return sorted(path.name for path in self.server.file.parent.iterdir())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One nginx for all of it."""
    with nginx(tmp_path_factory.mktemp("nginx")) as found:
        yield found


@pytest.fixture
def host(server: Nginx) -> Host:
    """A splitter that was set up, at a quarter."""
    found = Host(server, f"127.0.0.1:{closed_port()}")
    for path in server.file.parent.iterdir():
        path.unlink()
    found.set(0.25)
    return found


def script(path: Path, text: str) -> str:
    """A program of that text."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def refused(do: Callable[[], object], *words: str) -> str:
    """Why it was refused, with these words in it; the one word for programs."""
    with pytest.raises(SplitError) as caught:
        do()
    for word in words:
        assert word in str(caught.value)
    return str(caught.value.reason)


def test_what_is_settled_is_left_alone_and_other_routes_are_not(host: Host) -> None:
    """The running nginx tells the values; file and routes count too."""
    found = host.look()
    assert (found["values"], found["settled"]) == ({**FIRST, RATE: 0.25}, True)
    assert stat.S_IMODE(host.server.file.stat().st_mode) == 0o640  # the names of spaces are nobody else's business
    other = [{**host.inputs["routes"][0], "mirror": True}]
    assert host.look(routes=other)["settled"] is False
    host.server.file.write_text(host.server.file.read_text() + "# by hand\n")
    assert (host.look()["values"][RATE], host.look()["settled"]) == (0.25, False)
    host.set(0.25)
    assert host.look()["settled"] is True


def test_a_whole_configuration_that_is_refused_is_never_loaded(host: Host, tmp_path: Path) -> None:
    """Some other file is broken: the old file is back, and no reload was asked for."""
    before = host.state
    (host.server.file.parent / "other.conf").write_text("this is no directive;")
    called = tmp_path / "called"
    reload = [script(tmp_path / "reload", f"touch {called}")]
    reason = refused(lambda: host.set(0.5, reload_command=reload), "unknown directive", "nginx was not reloaded")
    assert (reason, called.exists(), host.state) == ("refused", False, before)
    assert host.names == ["engram-split.conf", "other.conf"]


def test_a_candidate_that_nginx_refuses_is_put_nowhere(host: Host) -> None:
    """It is checked by itself first."""
    before = host.state
    assert refused(lambda: host.set(0.5, readers=["999.1.1.1"]), "the check by itself") == "refused"
    assert (host.state, host.names) == (before, ["engram-split.conf"])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo 'it is not running' >&2; exit 1", ["the reload was refused", "it is not running"]),
        (
            "printf '2026/11/27 16:41:53 [notice] 7#7: go\\n2026/11/27 16:41:53 [error] 7#7: no pid\\n' >&2; exit 1",
            ["ended with 1: [error] no pid; the old file is back"],
        ),
        ("exit 0", ["does not run the new configuration", "still tells what it ran before"]),
    ],
    ids=["fails", "says so as nginx does", "does nothing"],
)
def test_a_reload_that_did_not_happen_leaves_the_old_file(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str]
) -> None:
    """Refused, or without effect: what is in the file is what runs."""
    monkeypatch.setattr(split_nginx, "READ_BACK_SECONDS", 0.5)
    before = host.state
    reload = [script(tmp_path / "reload", command)]
    assert refused(lambda: host.set(0.5, reload_command=reload), *words, "the old file is back") in {
        "refused",
        "ignored",
    }
    assert (host.state, host.names) == (before, ["engram-split.conf"])


def test_a_main_configuration_that_does_not_include_the_file(
    server: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading back says so, and the file is gone again."""
    monkeypatch.setattr(split_nginx, "READ_BACK_SECONDS", 0.5)
    host, file = Host(server, f"127.0.0.1:{closed_port()}"), tmp_path / "elsewhere" / "split.conf"
    file.parent.mkdir()
    assert refused(lambda: host.set(0.0, file=str(file)), f"include {file}") == "ignored"
    assert list(file.parent.iterdir()) == []


def test_a_file_that_is_somebody_elses_is_not_written_over(host: Host) -> None:
    """The inventory named the wrong one: nginx would take what was written, and the other would be lost."""
    other = host.server.file.parent / "default.conf"
    other.write_text("map $host $theirs { default 1; }\n")
    assert refused(lambda: host.set(0.5, file=str(other)), "not written by this play") == "usage"
    assert other.read_text() == "map $host $theirs { default 1; }\n"
    other.unlink()
    host.server.file.write_text("# by somebody else\n")
    refused(lambda: host.set(0.5), "not written by this play")
    host.set(0.0, stays=True)  # what still splits goes back all the same
    assert ask(host.listen).values[RATE] == 0.0


def test_nginx_is_missing(host: Host) -> None:
    """Said in a word."""
    before = host.state
    assert (
        refused(lambda: host.set(0.5, test_command=["nginx-that-is-not-there", "-t"]), "not installed")
        == "not_supported"
    )
    assert refused(lambda: host.set(0.5, file="/there/is/no/folder.conf"), "/there/is/no") == "usage"
    assert host.state == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be someone else")
def test_without_permission_nothing_is_touched(host: Host) -> None:
    """The candidate is checked by anyone; the folder is written by its owner only."""
    before, folder = host.state, host.server.file.parent
    host.server.file.chmod(0o644)
    parents = [path for path in host.server.folder.parents if "pytest-" in str(path)]  # one more with several workers
    for path in (host.server.folder, *parents):
        path.chmod(0o755)
    folder.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        assert refused(lambda: host.set(0.5), "Permission denied", "nothing was touched") == "refused"
    finally:
        os.seteuid(0)
    assert host.state == before


def test_a_full_disk_leaves_the_old_file(host: Host) -> None:
    """The new one cannot be written whole: what was good is in its place, and stays there."""
    before = host.state
    placing, usual = Placing(host.server.file), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[2]) + 100, usual[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            placing.place("x" * (len(before[2]) + 200))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (host.state, placing.unfinished) == (before, True)
    placing.put_back()
    assert (host.state, host.names) == (before, ["engram-split.conf"])


@pytest.mark.parametrize("when", ["test", "reload"])
def test_killed_half_way_it_is_mended_by_the_next_run(host: Host, tmp_path: Path, when: str) -> None:
    """Kill -9 while nginx is asked: the good file lies beside the new one, and another run ends it, either way."""
    killing = script(
        tmp_path / "nginx-killing",
        f'case "$*" in *engram-splitter-*) exec {host.server.program} "$@";; esac\nkill -9 $PPID',
    )
    before = host.state
    given = {**host.inputs, f"{when}_command": [killing, "-t"]}
    given |= {"values": {**before[0], RATE: 0.5}, "expected_running": before[1]}
    assert _alone(given) == -signal.SIGKILL
    assert (ask(host.listen).values[RATE], host.look()["settled"]) == (0.25, False)
    assert kept_beside(host.server.file).read_bytes() == before[2]
    (host.server.file.parent / "other.conf").write_text("broken")
    refused(lambda: host.set(0.5), "the old file is back")  # not the one that nobody proved
    assert host.state == before
    (host.server.file.parent / "other.conf").unlink()
    assert _alone(given) == -signal.SIGKILL
    host.set(0.5)
    assert (host.look()["values"][RATE], host.look()["settled"], host.names) == (0.5, True, ["engram-split.conf"])


def test_an_nginx_that_is_down_comes_up_with_the_share_of_the_way_back(tmp_path: Path) -> None:
    """Its file is changed all the same, and it is told; given again it still is, until nginx was read back."""
    with nginx(tmp_path) as server:
        host = Host(server, f"127.0.0.1:{closed_port()}")
        host.change({RATE: 0.25, SPACES: ["ours"]})
    for _ in range(2):
        assert refused(lambda: host.set(0.0, stays=True), "the reload was refused", "THE NEW FILE STAYS") == "refused"
        assert (host.written, host.names) == ({**FIRST, SPACES: ["ours"]}, ["engram-split.conf"])
    refused(lambda: host.set(0.25, stays=True), "the old file is back")  # it treats more: it waits for its nginx
    refused(lambda: host.change({SPACES: []}), "the old file is back")  # not on the way back
    refused(lambda: host.change({SPACES: []}, stays=True), "THE NEW FILE STAYS")
    with nginx(tmp_path):
        assert ask(host.listen).values == FIRST
        assert host.look(like=FIRST)["settled"] is True


def test_a_running_nginx_that_does_not_reload_never_gets_its_old_share_back(host: Host, tmp_path: Path) -> None:
    """Whenever it does reload, late or by somebody's hand, it treats nobody; the next step builds on that file."""
    host.change({SPACES: ["ours"]})
    reload = [script(tmp_path / "reload", "exit 1")]
    refused(lambda: host.set(0.0, stays=True, reload_command=reload), "THE NEW FILE STAYS")
    assert (ask(host.listen).values[RATE], host.written) == (0.25, {**FIRST, SPACES: ["ours"]})
    refused(lambda: host.change({SPACES: []}, stays=True, reload_command=reload), "THE NEW FILE STAYS")
    assert host.written == FIRST
    assert host.look()["base"][RATE] == 0.25  # otherwise what runs is built on
    host.change({SPACES: []}, stays=True)
    assert (ask(host.listen).values, host.look(stays=True, like=FIRST)["settled"]) == (FIRST, True)


def test_a_reload_that_comes_late_is_not_answered_with_the_old_share(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the way back nobody has nginx load the old file again."""
    monkeypatch.setattr(split_nginx, "READ_BACK_SECONDS", 0.2)
    count = tmp_path / "count"
    reload = [script(tmp_path / "reload", f"echo once >> {count}")]
    assert refused(lambda: host.set(0.0, stays=True, reload_command=reload), "THE NEW FILE STAYS") == "ignored"
    assert (count.read_text(), host.written[RATE]) == ("once\n", 0.0)


def test_on_the_way_back_another_broken_file_is_no_reason_to_keep_the_share(host: Host) -> None:
    """What is wrong with ours is: then the old file is there, and nginx still starts."""
    broken = host.server.file.parent / "other.conf"
    broken.write_text("this is no directive;")
    refused(lambda: host.set(0.0, stays=True), "unknown directive", "THE NEW FILE STAYS")
    assert (ask(host.listen).values[RATE], host.written[RATE]) == (0.25, 0.0)
    broken.unlink()
    host.set(0.25)
    before = host.state
    refused(lambda: host.set(0.0, stays=True, log="/there/is/no/folder/log"), "/there/is/no", "the old file is back")
    assert (host.state, host.names) == (before, ["engram-split.conf"])


def test_a_name_that_nobody_resolves_keeps_no_share_in_the_file(host: Host) -> None:
    """Nothing is loaded then, the old file neither: it is told, and the one that it will load treats nobody."""
    routes = [{"listen": host.listen, "control": ["http://localhost:1"]}]
    host.set(0.25, routes=routes)
    host.server.file.write_text(host.server.file.read_text().replace("localhost", "node.invalid"))
    gone = [{"listen": host.listen, "control": ["http://node.invalid:1"]}]
    refused(lambda: host.set(0.1, routes=gone), "host not found", "the check by itself")
    assert host.written[RATE] == 0.25
    refused(lambda: host.set(0.0, routes=gone, stays=True), "host not found", "THE NEW FILE STAYS")
    assert host.written[RATE] == 0.0


def test_a_check_that_does_not_end_keeps_no_share_in_the_file(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where every name of a node is asked of a resolver that is dead."""
    monkeypatch.setattr(split_nginx, "COMMAND_SECONDS", 0.2)
    hanging = [script(tmp_path / "nginx-hanging", "exec sleep 20"), "-t"]
    refused(lambda: host.set(0.1, test_command=hanging), "did not end within 0.2 s")
    assert host.written[RATE] == 0.25
    refused(lambda: host.set(0.0, stays=True, test_command=hanging), "did not end", "THE NEW FILE STAYS")
    assert (ask(host.listen).values[RATE], host.written[RATE]) == (0.25, 0.0)


def test_an_inventory_that_somebody_broke_holds_up_no_way_back(host: Host) -> None:
    """The share goes by what the file was made of; any other change waits for the inventory."""
    host.set(0.25, routes=[{**host.inputs["routes"][0], "treatment": ["http://[::1]:2"], "mirror": True}])
    before, broken = host.server.file.read_text(), [{"listen": host.listen, "control": ["10.0.0.1:7432"]}]
    refused(lambda: host.set(0.0, routes=broken), "http://HOST:PORT")
    host.set(0.0, routes=broken, stays=True)
    assert ask(host.listen).values[RATE] == 0.0
    host.set(0.25, routes=[{**host.inputs["routes"][0], "treatment": ["http://[::1]:2"], "mirror": True}])
    assert host.server.file.read_text() == before
    refused(lambda: host.change({SALT: "a'"}, stays=True), SALT)


def _alone(given: Mapping[str, Any]) -> int:
    """Change it in a process of its own."""
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from ansible_collections.engram.ops.plugins.modules.host_splitter import change\n"
        f"change({dict(given)!r}, check=False)\n"
    )
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_of_two_at_once_one_is_told(host: Host) -> None:
    """Both looked at the same; the second finds another one than it looked at, and touches nothing."""
    running = host.look()["running"]

    def told(share: float) -> str:
        given = {**host.inputs, "values": {**FIRST, RATE: share}, "expected_running": running}
        try:
            change(given, check=False)
        except SplitError as problem:
            return problem.reason
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(told, (0.5, 0.75))) == ["conflict", "done"]
    assert host.look(like={})["settled"] is True


@pytest.mark.parametrize(
    "values",
    [
        {RATE: 1.5},
        {RATE: -0.1},
        {RATE: float("nan")},
        {RATE: "0.5; }"},
        {RATE: True},
        {SALT: "a'; } server { listen 81; }"},
        {SALT: "$http_x"},
        {SALT: "a\nb"},
        {SALT: "x" * 257},
        {SALT: 5},
        {SPACES: "a"},
        {SPACES: ["a", "b|.*"]},
        {SPACES: ["a)$' treatment; }"]},
        {SPACES: [""]},
        {SPACES: [5]},
        {SPACES: [f"space-{number}" for number in range(8000)]},
    ],
)
def test_hostile_values_are_refused_before_anything_is_rendered(values: dict[str, Any]) -> None:
    """By what they are made of, not by what nginx would make of them."""
    with pytest.raises(SplitError, match=re.escape(next(iter(values)))):
        split_of({**FIRST, **values}, {"routes": [ROUTE], "log": "/var/log/nginx/x.log"})


@pytest.mark.parametrize(
    ("routes", "log", "readers"),
    [
        ([], "/x", []),
        ("8432", "/x", []),
        ([{"listen": "80; }"} | {"control": ROUTE["control"]}], "/x", []),
        ([{"listen": "127.0.0.1:99999"} | {"control": ROUTE["control"]}], "/x", []),
        ([{**ROUTE, "control": ["https://node:1", "http://node:2"]}], "/x", []),
        ([{**ROUTE, "control": ["https://one:1", "https://two:1"]}], "/x", []),
        ([{**ROUTE, "control": ["https://10.0.0.1:1"]}], "/x", []),
        ([{**ROUTE, "control": ["https://[::1]:1"]}], "/x", []),
        ([{**ROUTE, "treatment": ["https://node:1"]}], "/x", []),
        ([{**ROUTE, "control": ["ftp://node:1"]}], "/x", []),
        ([{**ROUTE, "control": ["http://node:1/path"]}], "/x", []),
        ([{**ROUTE, "control": ["http://user:secret@node:1"]}], "/x", []),
        ([{**ROUTE, "control": ["http://node:1; return 200"]}], "/x", []),
        ([{**ROUTE, "control": []}], "/x", []),
        ([{**ROUTE, "mirror": "yes"}], "/x", []),
        ([{**ROUTE, "weight": 5}], "/x", []),
        ([ROUTE, ROUTE], "/x", []),
        ([{**ROUTE, "listen": 80}, {**ROUTE, "listen": "*:80"}], "/x", []),
        ([ROUTE], "relative.log", []),
        ([ROUTE], "/var/log/x; }", []),
        ([ROUTE], "/x", ["all"]),
        ([ROUTE], "/x", "127.0.0.1"),
    ],
)
def test_hostile_inputs_of_the_inventory_are_refused_too(routes: Any, log: Any, readers: Any) -> None:
    """Each with the name of what it stands in."""
    with pytest.raises(SplitError, match="engram_splitter_") as caught:
        split_of(FIRST, {"routes": routes, "log": log, "readers": readers})
    assert caught.value.reason == "usage"
