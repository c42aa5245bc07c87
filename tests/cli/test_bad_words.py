"""What a person may get wrong: words, targets, configuration files."""

import subprocess
from pathlib import Path

import pytest
from command_line import WORDS, Output, as_process, complaint, plain_environment
from terminal import DENIED

from runbook.cli.root import run
from runbook.errors import ExitCode, LockedError

GOOD = 'version = 1\n[targets.prod]\nenvironment = "production"\ninventory = "hosts.yml"\n'


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["high-formation-rat"], "high-formation-rate"),
        (["undoo", "x"], "undo"),
        (["sandbox", "statsu"], "status"),
        (["audit", "verfy"], "verify"),
        (["high-formation-rate", "--windw", "3s"], "--window"),
        (["audit", "set-aside", "--raeson", "x"], "--reason"),
        (["completion", "bsh"], "bash"),
        (["rollout", "watch", "--timeout"], "runbook rollout watch --help"),
    ],
)
def test_a_typo_is_a_usage_error_that_says_what_was_meant(words: list[str], meant: str, capsys: Output) -> None:
    """Exit 2, the word that was meant, nothing on stdout."""
    assert run(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert meant in told.err
    assert "hint: " in told.err


@pytest.mark.parametrize(
    "words",
    [
        ["--window", "soon"],
        ["--window", "0s"],
        ["--window", "-3s"],
        ["--window", "1e99h"],
        ["--watch", ""],
        ["--json", "extra"],
        ["--target", ""],
        ["--target", "../../etc/passwd"],
        ["--target", "x" * 5000],
        ["--config", "/nonexistent/runbook.toml"],
        ["--config", "/"],
    ],
)
def test_bad_values_are_usage_errors(words: list[str], target: Path, capsys: Output) -> None:
    """Never a bug, and the message fits on a screen."""
    assert run(["high-formation-rate", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "bug" not in told.err


def test_without_a_configuration_the_way_to_one_is_shown(state: Path, capsys: Output) -> None:
    """Exit 2, and no state folder is made by looking."""
    assert run(["high-formation-rate"]) == 2
    told = capsys.readouterr()
    assert "no target was named" in told.err
    assert "runbook sandbox up" in told.err
    assert not state.exists()


def test_an_unknown_target_is_guessed(target: Path, capsys: Output) -> None:
    """With all there are."""
    assert run(["high-formation-rate", "--target", "prd"]) == 2
    told = capsys.readouterr()
    assert "did you mean prod?" in told.err
    assert "gone, prod" in told.err


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("version = 1\n[targets.prod\n", 12, "line 2"),
        ('version = 1\n[targets.prod]\nenvironment = "x"\ninventry = "hosts.yml"\n', 12, "targets.prod.inventry"),
        (GOOD + "colour = 3\n", 12, "targets.prod.colour"),
        ("version = 2\n", 17, "version 2"),
        ("version = 1\ndefault_target = 'prd'\n" + GOOD.partition("\n")[2], 12, "default_target"),
        (b"version = 1\n# caf\xe9\n", 12, "line 2, byte 17"),
        ("\x00", 12, "line 1"),
    ],
)
def test_a_configuration_that_does_not_read(
    text: str | bytes, code: int, place: str, state: Path, tmp_path: Path, capsys: Output
) -> None:
    """12, or 17 for another version: file and place are named, in text and in JSON."""
    path = tmp_path / "runbook.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for command in (["high-formation-rate"], ["baseline", "show"], ["baseline", "capture"]):
        found = complaint(capsys, *command, "--config", str(path), expect=code)
        assert str(path) in found["message"]
        assert place in found["message"]
        assert found["hint"]
    assert run(["doctor", "--config", str(path)]) == 3
    assert place in capsys.readouterr().out


def test_an_inventory_that_is_missing(state: Path, tmp_path: Path, capsys: Output) -> None:
    """Named with its path."""
    path = tmp_path / "runbook.toml"
    path.write_text(GOOD)
    found = complaint(capsys, "high-formation-rate", "--config", str(path), "--target", "prod", expect=12)
    assert str(tmp_path / "hosts.yml") in found["message"]


def test_a_configuration_that_may_not_be_read(open_folder: Path) -> None:
    """12: root too obeys permissions here."""
    path = open_folder / "runbook.toml"
    path.write_text(GOOD)
    path.chmod(0)
    environment = plain_environment(open_folder / "state")
    done = as_process("high-formation-rate", "--config", str(path), environment=environment, cwd="/", prefix=DENIED)
    assert done.returncode == 12, done.stderr
    assert "Permission denied" in done.stderr


def test_a_folder_that_is_gone(state: Path, tmp_path: Path) -> None:
    """Someone removed the current folder under us: no traceback."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *WORDS, "runs"],
        env=plain_environment(state),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_words_of_others_cannot_drive_the_terminal_in_an_error(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """A lock's holder, a peer, a file: whoever wrote them."""

    def refuse(*_: object, **__: object) -> None:
        raise LockedError("locked by \x1b[2J mallory", hint="wait \x07\nand look again")

    monkeypatch.setattr("runbook.cli.root.cli.main", refuse)
    assert run(["runs"]) == ExitCode.LOCKED
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "\x07" not in told
    assert len(told.splitlines()) == 3
