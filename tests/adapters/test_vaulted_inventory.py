"""Inventories with secrets in Ansible's vault, and hosts that are changed by a settings file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.adapters.inventory import read_inventory
from runbook.errors import DamagedError
from runbook.model.configuration import TargetSettings
from runbook.model.target import Target, Way

NODE = "all:\n  hosts:\n    a:\n      engram_url: http://a:1\n"
FILE_WAY = "      engram_way: file\n"
PATH = "      engram_settings_file: /etc/engram/settings.toml\n"
RESTART = "      engram_restart_command: [systemctl, restart, engram]\n"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with the vault's password."""
    path = tmp_path / "vault.password"
    path.write_text("correct horse\n")
    return path


def vault(*words: str, password: Path) -> str:
    """What ansible-vault prints."""
    program = Path(sys.executable).parent / "ansible-vault"
    command = [str(program), words[0], "--vault-password-file", str(password), *words[1:]]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def reading(folder: Path, text: str) -> Target:
    """The target with that inventory."""
    path = folder / "inventory.yml"
    path.write_text(text)
    return read_inventory(TargetSettings("prod", "production", path))


def test_a_vaulted_value_is_no_hindrance_to_reading(tmp_path: Path, password: Path) -> None:
    """The nodes are known without the password; only a play needs it. Where the reader needs the value, it says so."""
    lines = vault("encrypt_string", "geheim", password=password).splitlines()
    secret = "\n".join([lines[0], *(f"          {line.strip()}" for line in lines[1:])])
    assert [node.name for node in reading(tmp_path, f"{NODE}      ansible_become_password: {secret}\n").nodes] == ["a"]
    with pytest.raises(DamagedError, match="a: engram_token_file is encrypted") as caught:
        reading(tmp_path, f"{NODE}      engram_token_file: {secret}\n")
    assert caught.value.hint


def test_a_whole_vaulted_inventory_takes_the_password(
    tmp_path: Path, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variable of the environment that plays get too."""
    plain = tmp_path / "plain.yml"
    plain.write_text(NODE)
    text = vault("encrypt", "--output", "-", str(plain), password=password)
    assert "http" not in text
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    with pytest.raises(DamagedError) as caught:
        reading(tmp_path, text)
    assert "vault" in f"{caught.value.message} {caught.value.hint}".lower()
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    assert [node.url for node in reading(tmp_path, text).nodes] == ["http://a:1"]


def test_a_settings_file_and_a_restart_make_a_way(tmp_path: Path) -> None:
    """Read without Ansible, and with it where the words are a literal of an INI file."""
    (node,) = reading(tmp_path, NODE + FILE_WAY + PATH + RESTART).nodes
    assert node.way is Way.FILE
    ini = tmp_path / "hosts.ini"
    words = "engram_restart_command=\"['systemctl', 'restart', 'engram']\""
    ini.write_text(f"a engram_url=http://a:1 engram_way=file engram_settings_file=/etc/e.toml {words}\n")
    (node,) = read_inventory(TargetSettings("prod", "production", ini)).nodes
    assert node.way is Way.FILE


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (RESTART, "engram_settings_file"),
        (f"{RESTART}      engram_settings_file: etc/settings.toml\n", "engram_settings_file"),
        (PATH, "engram_restart_command"),
        (f"{PATH}      engram_restart_command: systemctl restart engram\n", "engram_restart_command"),
        (f"{PATH}      engram_restart_command: []\n", "engram_restart_command"),
    ],
)
def test_what_a_play_would_miss_is_told_before(tmp_path: Path, text: str, missing: str) -> None:
    """With an example."""
    with pytest.raises(DamagedError, match=f"a: engram_way file needs {missing}") as caught:
        reading(tmp_path, NODE + FILE_WAY + text)
    assert caught.value.hint.startswith(missing)
