"""`runbook export`: the whole of a node's data, or nothing that anyone could take for it."""

import json
import os
import signal
import socket
import stat
import subprocess
from functools import partial
from pathlib import Path

import pytest
import whole_data
from command_line import WORDS, Output, as_process, complaint, document, plain_environment
from peers import Answer, Peer, Request, hang, http
from running_node import RunningNode, StartNode, wait_until
from terminal import on_terminal

from runbook.cli.root import run

SPACES = ("default", "tenant-a")
DUAL = ("export", "--format", "dual_memory")


@pytest.fixture(scope="module")
def filled(shared_node: RunningNode) -> RunningNode:
    """The shared node with episodes in two spaces; one was forgotten."""
    shared_node.ask("POST", "/api/v1/spaces", {"id": SPACES[1]})
    for space in SPACES:
        for number in range(6):
            assert shared_node.remember(f"text {number} of {space}", space, id=f"ep-{number}").status == 201
    shared_node.ask("DELETE", "/api/v1/memories/ep-5")
    shared_node.settle()
    return shared_node


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where archives go."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    """What is in the folder, hidden or not."""
    return sorted(each.name for each in folder.iterdir())


def environment(target: Path, state: Path) -> dict[str, str]:
    """Of a process that works on the target."""
    return plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}


def only(name: str, nodes: dict[str, str], folder: Path) -> Path:
    """A configuration whose default target has these nodes, by name and URL; its file."""
    hosts = {each: {"engram_url": url} for each, url in nodes.items()}
    (folder / f"{name}.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    path = folder / f"{name}.toml"
    head = f'version = 1\ndefault_target = "{name}"\n'
    path.write_text(f'{head}[targets.{name}]\nenvironment = "sandbox"\ninventory = "{name}.yml"\n')
    return path


def test_two_exports_of_one_state_are_the_same_bytes(
    filled: RunningNode, target: Path, state: Path, files: Path, capsys: Output
) -> None:
    """To a file, with mode 0600, and to standard output; any JSON tool reads it."""
    path = files / "a.json"
    data = document(capsys, *DUAL, "-o", str(path))["data"]
    (archive,) = data["archives"]
    assert (archive["node"], archive["path"], archive["reason"]) == ("prod-1", str(path), "")
    assert archive["archive"]["counts"]["episode"] == 11
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with (files / "b.json").open("wb") as out:
        done = as_process(*DUAL, environment=environment(target, state), stdout=out)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == (files / "b.json").read_bytes()
    assert len(json.loads(path.read_bytes())["records"]) == sum(archive["archive"]["counts"].values())
    assert "content digest" in done.stderr
    assert names(files) == ["a.json", "b.json"]


def test_a_file_that_others_can_read_is_told(filled: RunningNode, target: Path, state: Path, files: Path) -> None:
    """The shell made it, and it is not for this command to change; `-o` makes one that they cannot."""
    for mode, told in ((0o644, True), (0o600, False)):
        path = files / f"{mode}.json"
        path.touch(mode)
        path.chmod(mode)
        with path.open("wb") as out:
            done = as_process(*DUAL, environment=environment(target, state), stdout=out)
        assert ("other people" in done.stderr) is told


def test_what_was_there_before_is_replaced_as_a_whole(
    filled: RunningNode, target: Path, files: Path, capsys: Output
) -> None:
    """Whoever could read it cannot read the new one; of a symbolic link only the name is replaced."""
    (files / "open.json").write_bytes(b"before")
    (files / "open.json").chmod(0o644)
    (files / "link.json").symlink_to(files / "open.json")
    for name in ("link.json", "open.json"):
        assert run([*DUAL, "-o", str(files / name)]) == 0
        found = (files / name).lstat()
        assert (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o600)
    assert names(files) == ["link.json", "open.json"]
    assert (files / "open.json").read_bytes() == (files / "link.json").read_bytes()


def test_packed_it_holds_the_same(filled: RunningNode, target: Path, files: Path, capsys: Output) -> None:
    """By the name of the file, or by --zstd; `inspect` tells it by its first bytes."""
    digests = set()
    for name, more in (("a.json", ()), ("b.json.zst", ()), ("c", ("--zstd",))):
        (found,) = document(capsys, *DUAL, "-o", str(files / name), *more)["data"]["archives"]
        digests.add(found["archive"]["content_digest"])
        inspected = document(capsys, "inspect", str(files / name))["data"]["archive"]
        assert inspected == found["archive"]
    assert len(digests) == 1
    assert (files / "b.json.zst").read_bytes() == (files / "c").read_bytes()
    assert (files / "c").stat().st_size < (files / "a.json").stat().st_size
    with pytest.raises(UnicodeDecodeError):
        (files / "c").read_bytes().decode()


def test_one_space_is_an_archive_of_its_own(filled: RunningNode, target: Path, files: Path, capsys: Output) -> None:
    """With its own counts and digests; a space of which there is nothing is no empty archive but a mistake."""
    path = files / "a.json"
    assert run([*DUAL, "--space", SPACES[1], "-o", str(path)]) == 0
    capsys.readouterr()
    found = document(capsys, "inspect", str(path))["data"]
    assert (list(found["spaces"]), found["archive"]["counts"]["episode"]) == ([SPACES[1]], 6)
    wrong = complaint(capsys, *DUAL, "--space", "tenant-b", "-o", str(files / "b.json"), expect=13)
    assert SPACES[1] in wrong["hint"]
    assert not (files / "b.json").exists()


def test_what_changed_since_carries_tombstones(filled: RunningNode, target: Path, files: Path, capsys: Output) -> None:
    """And nothing else; what is to come cannot have changed."""
    stands = filled.health()["sequence"]
    filled.remember("one more", id="more")
    filled.remember("soon gone", id="gone")
    filled.ask("DELETE", "/api/v1/memories/gone")
    filled.settle()
    path = files / "since.json"
    assert run([*DUAL, "--since", str(stands), "-o", str(path)]) == 0
    _, records = whole_data.read(path.read_bytes())
    assert [(each["type"], each["id"]) for each in records] == [("episode", "more"), ("tombstone", "gone")]
    filled.ask("DELETE", "/api/v1/memories/more")
    capsys.readouterr()
    assert complaint(capsys, *DUAL, "--since", "99999999", "-o", str(path), expect=13)["hint"]
    assert run([*DUAL, "--since", f"g1:{stands}", "-o", str(path)]) == 0
    capsys.readouterr()
    assert "all of it" in complaint(capsys, *DUAL, "--since", f"g2:{stands}", "-o", str(path), expect=13)["hint"]
    for nonsense in ("-1", "g1:", "1.5", "9" * 30):
        assert run([*DUAL, "--since", nonsense, "-o", str(path)]) == 2


def test_several_nodes_have_several_archives(
    filled: RunningNode, files: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Somebody must say which; one that is away does not take the others along (5), unless all are (10)."""
    urls = {"n1": filled.url, "n2": f"http://localhost:{filled.port}", "n3": "http://127.0.0.1:9"}
    hosts = {name: {"engram_url": url, "engram_token_file": str(filled.token_file)} for name, url in urls.items()}
    monkeypatch.setenv("RUNBOOK_CONFIG", str(only("many", urls, files)))
    (files / "many.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    out = files / "out"
    unsaid = complaint(capsys, *DUAL, "-o", str(out), expect=2)
    assert "n1, n2, n3" in unsaid["hint"]
    assert "--all-nodes" in unsaid["hint"]
    assert "n1, n2, n3" in complaint(capsys, *DUAL, "--node", "n9", "-o", str(out), expect=2)["hint"]
    assert complaint(capsys, *DUAL, "--all-nodes", "-o", str(out), expect=2)["hint"]
    assert run([*DUAL, "--all-nodes"]) == 2
    out.mkdir()
    capsys.readouterr()
    found = document(capsys, *DUAL, "--all-nodes", "-o", str(out), expect=5)["data"]["archives"]
    assert [bool(each["reason"]) for each in found] == [False, False, True]
    assert names(out) == ["n1-dual_memory.json", "n2-dual_memory.json"]
    assert run([*DUAL, "--node", "n2", "-o", str(out / "x-{node}.json.zst")]) == 0
    assert (out / "x-n2.json.zst").exists()
    capsys.readouterr()
    monkeypatch.setenv("RUNBOOK_CONFIG", str(only("gone", {"n3": urls["n3"], "n4": "http://127.0.0.1:1"}, files)))
    assert complaint(capsys, *DUAL, "--all-nodes", "-o", str(out), expect=10)["name"] == "unreachable"


def test_what_cannot_be_written_to(filled: RunningNode, target: Path, state: Path, files: Path, capsys: Output) -> None:
    """A terminal, a folder of another name, a device, a full disk; and --json has no place beside the archive."""
    code, shown = on_terminal([*WORDS, *DUAL], environment(target, state), files)
    assert (code, "not written to a terminal" in shown) == (2, True)
    assert run([*DUAL, "--json"]) == 2
    assert run([*DUAL, "-o", "/dev/null"]) == 2
    assert run([*DUAL, "-o", str(files / "none" / "a.json")]) == 16
    with Path("/dev/full").open("wb") as full:
        done = as_process(*DUAL, environment=environment(target, state), stdout=full)
    assert (done.returncode, "no space" in done.stderr) == (16, True)
    assert "Traceback" not in done.stderr
    assert names(files) == []


def test_a_file_larger_than_is_allowed_leaves_what_was_there(
    filled: RunningNode, target: Path, state: Path, files: Path
) -> None:
    """No draft either; the archive from before is untouched."""
    path = files / "a.json"
    path.write_bytes(b"from before")
    limit = ("prlimit", "--fsize=20000", "--")
    done = as_process(*DUAL, "-o", str(path), environment=environment(target, state), prefix=limit)
    assert done.returncode == 16, done.stderr
    assert (path.read_bytes(), names(files)) == (b"from before", ["a.json"])


def test_whoever_reads_may_leave(filled: RunningNode, target: Path, state: Path) -> None:
    """No traceback, and no success: what came out is not whole."""
    process = subprocess.Popen(
        [*WORDS, *DUAL], env=environment(target, state), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    assert (process.wait(60), "has left" in told, "Traceback" in told) == (5, True, False)


def test_another_kind_of_data_is_refused_with_the_right_one(
    filled: RunningNode, target: Path, files: Path, capsys: Output
) -> None:
    """Before anything is written."""
    for kind in ("single_memory", "residue"):
        wrong = complaint(capsys, "export", "--format", kind, "-o", str(files / "a.json"), expect=13)
        assert wrong["hint"] == "--format dual_memory"
    assert names(files) == []


def test_progress_comes_as_json_lines_where_that_is_asked_for(
    filled: RunningNode, target: Path, files: Path, capsys: Output
) -> None:
    """The last of them is the whole."""
    assert run([*DUAL, "-o", str(files / "a.json"), "--progress", "json"]) == 0
    lines = [json.loads(each)["progress"] for each in capsys.readouterr().err.splitlines() if each.startswith("{")]
    assert lines[0]["done"] == 0
    assert lines[-1]["done"] == lines[-1]["total"]
    assert {each["unit"] for each in lines} == {"records"}


HOLDINGS = {
    "node": "n",
    "generations": [{"id": "g1", "state": "active", "kind": "dual_memory", "sequence": 5, "counts": {"episode": 3}}],
}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """As HTTP has it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def answering(archive: Answer) -> Peer:
    """A peer that serves dual memory, and answers an export like that."""

    def answer(request: Request) -> Answer:
        return archive if "/export" in request.path else http(HOLDINGS)

    return Peer(answer)


def cut(data: bytes, line: socket.socket) -> None:
    """Send that, and then nothing more."""
    line.sendall(CHUNKED + chunk(data))


ARCHIVE = whole_data.write("dual_memory", [whole_data.episode(f"ep-{number:03}") for number in range(700)])
"""Of three chunks of 1 MiB."""


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (partial(cut, ARCHIVE[:2_500_000]), 10),
        (http(ARCHIVE[:2_500_000]), 12),
        (http(ARCHIVE[:2_000_000] + b"~" + ARCHIVE[2_000_001:]), 12),
        (http(ARCHIVE + ARCHIVE), 12),
        (http(ARCHIVE.replace(b'"version":1', b'"version":9', 1)), 17),
        (http(b"<html>"), 12),
        (http(whole_data.write("single_memory", [])), 12),
        (http(whole_data.write("dual_memory", [], since=3)), 12),
        (http({"error": {"code": "BUSY", "message": "busy"}}, "503 Service Unavailable", Retry_After="0"), 10),
    ],
    ids=["cut", "no footer", "a byte", "twice", "newer", "html", "other kind", "changes", "busy"],
)
def test_nothing_that_is_not_whole_is_ended(
    archive: Answer,
    code: int,
    files: Path,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """To a file it is not there; on standard output it has no footer, and the exit code and stderr say so."""
    with answering(archive) as peer:
        monkeypatch.setenv("RUNBOOK_CONFIG", str(only("one", {"n1": peer.url}, files)))
        assert run([*DUAL, "-o", str(files / "a.json")]) == code
        assert names(files) == ["one.toml", "one.yml"]
        capfdbinary.readouterr()
        assert run(list(DUAL)) == code
    told = capfdbinary.readouterr()
    assert b'"footer"' not in told.out
    assert ARCHIVE.startswith(told.out)
    assert (b"not whole" in told.err) is bool(told.out)


def test_ctrl_c_in_the_middle_leaves_no_draft(files: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """130, and nothing in the folder that was not there before."""

    def stall(line: socket.socket) -> None:
        line.sendall(CHUNKED + chunk(ARCHIVE[:2_900_000]))
        hang(line)

    with answering(stall) as peer:
        settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(only("one", {"n1": peer.url}, files))}
        process = subprocess.Popen(
            [*WORDS, *DUAL, "-o", str(files / "a.json")],
            env=settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            wait_until(lambda: any(each.stat().st_size for each in files.glob(".a.json.*")), "no draft was begun")
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, b"Traceback" in told) == (130, False), told
    assert b"run the same command again" in told
    assert names(files) == ["one.toml", "one.yml"]


def test_a_node_that_dies_in_the_middle_is_told(
    start_node: StartNode, files: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Kill -9 while it streams: 10, no file; and once it is back, the same command succeeds."""
    node = start_node()
    node.ask("POST", "/api/v1/spaces", {"id": whole_data.SPACE})
    large = whole_data.write("dual_memory", [whole_data.episode(f"ep-{number:05}") for number in range(3000)])
    generation = whole_data.staged(node, large)
    assert whole_data.activate(node, generation).status == 200
    monkeypatch.setenv("RUNBOOK_CONFIG", str(only("one", {"n1": node.url}, files)))
    inventory = {"all": {"hosts": {"n1": {"engram_url": node.url, "engram_token_file": str(node.token_file)}}}}
    (files / "one.yml").write_text(json.dumps(inventory))
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": os.environ["RUNBOOK_CONFIG"]}
    process = subprocess.Popen([*WORDS, *DUAL], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    begun = process.stdout.read(65536)  # the pipe fills, and the node waits in the middle
    node.kill()
    rest, told = process.communicate(timeout=60)
    assert process.returncode == 10, told
    assert b'"footer"' not in begun + rest
    assert b"not whole" in told
    start_node(node.folder, port=node.port)
    assert run([*DUAL, "-o", str(files / "a.json")]) == 0
    assert document(capsys, "inspect", str(files / "a.json"))["data"]["archive"]["counts"]["episode"] == 3000
