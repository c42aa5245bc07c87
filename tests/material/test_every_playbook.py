"""Every playbook, by existing: its name, its shape, its documentation, and what Ansible and its linter say of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.material import folder, playbook

FOLDER = folder("playbooks")
PLAYBOOKS = sorted(FOLDER.glob("*.yml"))
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "playbooks.md"
TOOLS = Path(sys.executable).parent
GIVEN = {"inventory_hostname", "omit", "item"}

WAVES = ("set_", "split_", "activate_", "migrate_")
DATA_OPTIONS = {
    *("work", "target", "backup_by_host", "level", "recipients", "to", "run_by_host", "reason", "options", "state_here")
}

every_playbook = pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)


def the_play(path: Path) -> dict[str, Any]:
    """The one play of that file."""
    (play,) = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(play, dict)
    return play


def the_tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every task, those of blocks and of their rescues too."""
    for task in tasks:
        if "block" in task:
            yield from the_tasks([*task["block"], *task.get("rescue", [])])
        else:
            yield task


def inputs(path: Path) -> set[str]:
    """Names of the variables in its templates, but for those that it works out itself and what its tasks learnt."""
    text = path.read_text(encoding="utf-8")
    templates = re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL)
    bare = (re.sub(r"'[^']*'|(?<=\w)\.\w+", "", template) for template in templates)
    words = {word for template in bare for word in re.findall(r"(?<![|\w.] )\b[a-z_]+\b(?!\()", template)}
    own = set(re.findall(r"^ +register: (\w+)", text, re.MULTILINE))
    return {word for word in words - own - GIVEN if not word.startswith(("_", "ansible_"))} - {"default", "list", "if"}


def test_there_are_some() -> None:
    """A walk over nothing would prove nothing."""
    known = {"set_config", "restore_config", "set_features", "restore_features", "collect_heap", "read_memory"}
    assert known <= {path.stem for path in PLAYBOOKS}


@every_playbook
def test_it_has_a_verb_and_a_noun_and_is_found_by_name(path: Path) -> None:
    """The name in an issue's step is the name of the file."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", path.stem)
    assert playbook(path.stem) == path


@every_playbook
def test_it_gathers_no_facts_and_names_its_actions_in_full(path: Path) -> None:
    """Facts cost a second; a short name could be someone else's plugin."""
    play = the_play(path)
    assert play["hosts"] == "all"
    assert play["gather_facts"] is False
    for task in the_tasks(play["tasks"]):
        assert any(re.fullmatch(r"\w+\.\w+\.\w+", word) for word in task)


@every_playbook
def test_it_goes_in_waves_unless_it_restores_or_reads(path: Path) -> None:
    """A change stops at the first wave that fails; what restores or reads is not stopped by one dead node."""
    play = the_play(path)
    if not path.stem.startswith(WAVES):
        assert "serial" not in play
        return
    assert play["serial"] == [1, "25%", "100%"]
    assert play["max_fail_percentage"] == 0
    assert play["any_errors_fatal"] is True


@every_playbook
def test_what_is_set_can_be_restored(path: Path) -> None:
    """There is an undo for every change."""
    verb, _, noun = path.stem.partition("_")
    if verb == "set":
        assert (FOLDER / f"restore_{noun}.yml").is_file()


@every_playbook
def test_every_input_is_documented(path: Path) -> None:
    """In its own head and in the reference."""
    assert path.name in REFERENCE.read_text(encoding="utf-8")
    for name in inputs(path):
        assert re.search(rf"^# .*\b{name}\b", path.read_text(encoding="utf-8"), re.MULTILINE), name
        assert f"`{name}`" in REFERENCE.read_text(encoding="utf-8"), name


def environment() -> dict[str, str]:
    """What Ansible's tools need."""
    collections = str(FOLDER / "collections")
    path = f"{TOOLS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "LC_ALL": "C.UTF-8", "PATH": path, "ANSIBLE_COLLECTIONS_PATH": collections}


def test_ansible_can_read_them_all() -> None:
    """--syntax-check, which resolves the plugins too."""
    command = [TOOLS / "ansible-playbook", "-i", "somewhere,", "--syntax-check", *PLAYBOOKS]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


OPTIONS: dict[str, set[str]] = {
    "setting": {"kind", "key", "value", "value_by_host", "expected", "expected_by_host"},
    "rollback": {"what"},
    "heap": set(),
    "process_memory": {"pid_file"},
    "data": DATA_OPTIONS,
    "fetch": {"backup_by_host", "into_by_host"},
    "access_log": {"path", "since", "before"},
    "splitter": {"key", "value", "value_by_host", "expected", "expected_by_host", "settings", "stays"},
}


def test_the_plugins_are_documented_for_ansible_doc() -> None:
    """`ansible-doc` shows every option that each plugin takes."""
    command = [TOOLS / "ansible-doc", "--json", "-t", "module", *(f"engram.ops.{name}" for name in OPTIONS)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = yaml.safe_load(done.stdout)
    assert {name: set(shown[f"engram.ops.{name}"]["doc"].get("options") or {}) for name in OPTIONS} == OPTIONS
