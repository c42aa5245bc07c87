"""`runbook check`: what it answers, and what it makes of files that are no documents."""

import os
from pathlib import Path

import pytest
from command_line import Output, complaint, document
from running_node import RunningNode

from runbook.cli.root import run

UPSTREAM = """# Operations

Look at `curl http://localhost:7432/api/v1/system/info`, then `engram_blended_recall_total`.

```bash
engram export --format dual_memory > backup.json
runbook rolback features
```
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A runbook that names what does not exist."""
    path = tmp_path / "upstream.md"
    path.write_text(UPSTREAM)
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A runbook that names only what exists."""
    path = tmp_path / "truth.md"
    path.write_text("`runbook doctor`\n")
    return path


def test_another_s_runbook(upstream: Path, capsys: Output) -> None:
    """Each name that does not exist, with its line; exit 3."""
    found = document(capsys, "check", "--document", str(upstream), expect=3)
    assert [(each["line"], each["kind"], each["name"]) for each in found["data"]["missing"]] == [
        (3, "endpoint", "GET /api/v1/system/info"),
        (3, "metric", "engram_blended_recall_total"),
        (6, "engram command", "engram export"),
        (7, "command", "runbook rolback"),
    ]
    assert found["data"]["documents"] == [{"file": str(upstream), "names": 4, "passed_over": 0}]


def test_for_people(upstream: Path, capsys: Output) -> None:
    """One line each, with the nearest name, then the sum."""
    assert run(["check", "--document", str(upstream)]) == 3
    told = capsys.readouterr().out.splitlines()
    assert told[1].split() == [
        f"{upstream}:3", "metric", "engram_blended_recall_total", "did", "you", "mean", "engram_recall_total?"
    ]  # fmt: skip
    assert told[-1] == "4 of 4 names in 1 document do not exist"


def test_a_true_one(tmp_path: Path, capsys: Output) -> None:
    """Exit 0; several documents at once, links from one to the other included."""
    (tmp_path / "one.md").write_text("# One\n\n`runbook doctor`, then [two](two.md#a-b).\n")
    (tmp_path / "two.md").write_bytes("\ufeff# A *b*\r\n\r\n`exit code 3` of `runbook runs`.\r\n".encode())
    files = [word for name in ("one.md", "two.md") for word in ("--document", str(tmp_path / name))]
    assert document(capsys, "check", *files)["data"]["missing"] == []


def test_no_file(tmp_path: Path, capsys: Output) -> None:
    """Usage: missing, a folder, a pipe; and nothing hangs."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing.md", ".", "pipe", "n" * 300):
        error = complaint(capsys, "check", "--document", str(tmp_path / name), expect=2)
        assert error["hint"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x7fELF\0\0\0", "line 1: this is binary"),
        (b"one\ntw\xf6\n", "line 2, byte 6: not UTF-8"),
        (b"x" * (9 << 20), "larger than 8 MiB"),
    ],
)
def test_no_text(tmp_path: Path, capsys: Output, content: bytes, says: str) -> None:
    """Damaged: binary, another encoding, far too large."""
    path = tmp_path / "odd.md"
    path.write_bytes(content)
    assert says in complaint(capsys, "check", "--document", str(path), expect=12)["message"]


def test_a_hostile_document_ends_soon(tmp_path: Path, capsys: Output) -> None:
    """Patterns that make careless readers go back and forth for ever."""
    path = tmp_path / "hostile.md"
    lines = ["`" + "a|" * 1000, "[" * 1000, "runbook " * 1000, "/api/v1/" + "{" * 1000, "engram_" * 1000, "$(" * 1000]
    path.write_text("\n\n".join([*lines, *(f"```sh\n{line}\n```" for line in lines), "sudo -a " * 500 + "runbook x"]))
    assert run(["check", "--document", str(path)]) in {0, 3}
    assert capsys.readouterr().out


def test_a_live_node_speaks_it_all(target: Path, capsys: Output, upstream: Path, truth: Path) -> None:
    """Every metric and every method of the contract, asked without changing anything."""
    found = document(capsys, "check", "--target", "prod", "--document", str(truth))
    assert {each["answer"] for each in found["data"]["nodes"]} == {"YES"}
    assert ("endpoint", "POST /api/v1/admin/features") in [(n["kind"], n["name"]) for n in found["data"]["nodes"]]
    assert document(capsys, "check", "-t", "prod", "--document", str(upstream), expect=3)["data"]["nodes"]


def test_nothing_is_changed_by_asking(target: Path, capsys: Output, shared_node: RunningNode, truth: Path) -> None:
    """Settings, counts of what is kept, recalls; consolidation goes on by itself."""
    asked = ("engram_recall", "engram_episodes", "engram_bindings", "engram_feature", "engram_config")
    before = {name: value for name, value in shared_node.metrics().items() if name.startswith(asked)}
    sequence = shared_node.health()["sequence"]
    document(capsys, "check", "-t", "prod", "--document", str(truth))
    assert {name: shared_node.metrics()[name] for name in before} == before
    assert shared_node.health()["sequence"] == sequence


def test_a_token_that_others_can_read(target: Path, capsys: Output, truth: Path, shared_node: RunningNode) -> None:
    """Is not sent: exit 13, with what to type."""
    token = target / "open.token"
    token.write_text(shared_node.token)
    token.chmod(0o644)
    inventory = target / "prod.yml"
    inventory.write_text(inventory.read_text().replace(str(shared_node.token_file), str(token)))
    assert "chmod 600" in complaint(capsys, "check", "-t", "prod", "--document", str(truth), expect=13)["hint"]


def test_a_dead_target(target: Path, capsys: Output) -> None:
    """Exit 10, and one that there is not is 2."""
    assert "gone-1" in complaint(capsys, "check", "--target", "gone", expect=10)["message"]
    assert complaint(capsys, "check", "--target", "nobody", expect=2)["hint"]
