"""Where state is kept."""

import os
from pathlib import Path

import pytest

from runbook.config import state_folder


def test_the_environment_wins(tmp_path: Path) -> None:
    """RUNBOOK_STATE is taken as it is, and nothing is created."""
    wanted = tmp_path / "mine"
    assert state_folder({"RUNBOOK_STATE": str(wanted), "XDG_STATE_HOME": "/x"}) == wanted
    assert not wanted.exists()


def test_a_relative_name_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that changes folder afterwards still finds its state."""
    monkeypatch.chdir(tmp_path)
    assert state_folder({"RUNBOOK_STATE": "state"}) == tmp_path / "state"


def test_a_system_folder_that_can_be_made_is_used(tmp_path: Path) -> None:
    """The system's folder need not be there yet."""
    assert state_folder({}, system=tmp_path / "engram-runbook") == tmp_path / "engram-runbook"


@pytest.mark.parametrize("kind", ["file", "dangling", "no parent"])
def test_an_unusable_system_folder_is_passed_over(tmp_path: Path, kind: str) -> None:
    """A file or a dangling link in its place, or no parent: the person's folder is used."""
    system = tmp_path / "system"
    if kind == "file":
        system.write_text("")
    elif kind == "dangling":
        system.symlink_to(tmp_path / "nowhere")
    else:
        system = tmp_path / "absent" / "system"
    assert state_folder({"XDG_STATE_HOME": "/x"}, system=system) == Path("/x/engram-runbook")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/engram-runbook"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/engram-runbook"),
        ({"XDG_STATE_HOME": "", "HOME": "/h", "RUNBOOK_STATE": ""}, "/h/.local/state/engram-runbook"),
    ],
)
def test_the_persons_folder_follows_xdg(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    """Relative XDG folders are invalid by the specification; empty variables count as unset."""
    assert state_folder(environ, system=tmp_path / "no" / "such") == Path(expected)


def test_an_account_without_a_home_still_has_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never fails: a user id without an account gets a folder of its own."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(Path, "home", _homeless)
    found = state_folder({}, system=tmp_path / "no" / "such")
    assert found.is_absolute()
    assert str(os.getuid()) in str(found)


def _homeless() -> Path:
    raise RuntimeError("could not determine home directory")
