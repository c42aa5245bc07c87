"""Which fleet is worked on."""

from pathlib import Path

import pytest

from runbook.config import Config, TargetSettings, choose_target
from runbook.errors import DamagedError, UsageError

PROD, TEST = (TargetSettings(name, name, Path(f"/{name}.yml")) for name in ("prod", "test"))
FILE = Path("runbook.toml")
SANDBOX = 'version = 1\n[targets.sandbox]\nenvironment = "sandbox"\ninventory = "inventory.yml"\n'


def config(default: str | None = None, path: Path | None = FILE) -> Config:
    """A configuration with two targets, or none without a file."""
    return Config(path, default, {} if path is None else {"prod": PROD, "test": TEST})


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """The state folder of a running sandbox."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "runbook.toml").write_text(SANDBOX)
    return tmp_path


def test_the_order_is_explicit_environment_default(tmp_path: Path) -> None:
    """Each wins over the next."""
    environ = {"RUNBOOK_TARGET": "test"}
    assert choose_target(config("test"), environ, tmp_path, "prod") == PROD
    assert choose_target(config("prod"), environ, tmp_path, None) == TEST
    assert choose_target(config("prod"), {"RUNBOOK_TARGET": ""}, tmp_path, None) == PROD


def test_a_running_sandbox_is_taken_where_there_is_no_configuration(running: Path) -> None:
    """Trying it out needs no file."""
    chosen = choose_target(config(path=None), {}, running, None)
    assert (chosen.name, chosen.inventory) == ("sandbox", running / "sandbox" / "inventory.yml")


def test_a_running_sandbox_is_never_taken_unasked_beside_a_configuration(running: Path) -> None:
    """Production must be named, and so must the sandbox."""
    with pytest.raises(UsageError) as caught:
        choose_target(config(), {}, running, None)
    assert "prod, test" in caught.value.hint
    assert choose_target(config(), {}, running, "sandbox").name == "sandbox"


@pytest.mark.parametrize(
    ("target", "where", "hint"),
    [
        (None, None, "runbook sandbox up"),
        (None, FILE, "--target"),
        ("sandbox", FILE, "runbook sandbox up"),
        ("prd", FILE, "did you mean prod? known: prod, test"),
        ("prod", None, "runbook.toml"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(
    tmp_path: Path, target: str | None, where: Path | None, hint: str
) -> None:
    """Exit code 2."""
    with pytest.raises(UsageError) as caught:
        choose_target(config(path=where), {}, tmp_path, target)
    assert hint in caught.value.hint


def test_the_sandbox_is_among_the_known_targets(running: Path) -> None:
    """So that a typo in its name is found."""
    with pytest.raises(UsageError) as caught:
        choose_target(config(), {}, running, "sandbx")
    assert "did you mean sandbox?" in caught.value.hint


def test_a_damaged_sandbox_does_not_get_in_the_way_of_others(running: Path) -> None:
    """It is read only when it is chosen."""
    (running / "sandbox" / "runbook.toml").write_text("garbage")
    assert choose_target(config("prod"), {}, running, None) == PROD
    with pytest.raises(DamagedError):
        choose_target(config("prod"), {}, running, "sandbox")
