"""Hosts back up their own nodes: by play and by hand, over ssh too; the token is nowhere, and a dead node is named."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.engram.ops.plugins.modules import host_runbook
from ansible_collections.engram.ops.plugins.plugin_utils.data_work import Work, result_of
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError
from ansible_fleet import CANARY, Fleet
from local_sshd import running_sshd
from test_playbooks_by_hand import by_hand

from runbook.adapters.ansible import AnsiblePlays
from runbook.adapters.ansible.events import Gathering
from runbook.errors import UsageError
from runbook.model.play import HostState, WorkRequest, WorkResult

COMMAND = str(Path(sys.executable).parent / "runbook")


def work(fleet: Fleet, mark: str, *hosts: str, **inputs: Any) -> tuple[WorkResult, ...]:
    """What `backup_node` brings."""
    request = WorkRequest("backup_node", hosts or fleet.hosts, mark, {"target": "prod", **inputs})
    return AnsiblePlays(fleet.inventory).work(request, lambda _: None)


def in_files(folder: Path) -> bytes:
    """Every byte below that folder, but for the nodes' own."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_every_host_writes_where_the_inventory_says(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """Each its own backup, with its own name in it; a second run finds that nothing has changed."""
    fleet.write_inventory(engram_backup_folder=str(tmp_path / "{{ inventory_hostname }}"))
    here = str(tmp_path / "state")
    done = work(fleet, mark, state_here=here)
    assert [each.state for each in done] == [HostState.CHANGED] * 3, done
    for result in done:
        assert result.report is not None
        told = result.report["proofs"][0]["backup"]
        assert (told["host"], told["target"], result.code) == (result.host, "prod", 0)
        assert (tmp_path / result.host / told["name"] / "MANIFEST.json").is_file()
    again = work(fleet, mark, state_here=here)
    assert [each.state for each in again] == [HostState.UNCHANGED] * 3
    assert CANARY.encode() not in in_files(tmp_path)


def test_over_ssh_with_the_token_of_the_controller(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """The host's own runbook in its own folder; the token goes over the connection, and is in no file there."""
    with running_sshd(tmp_path / "sshd") as sshd:
        variables = sshd.variables | {"engram_runbook": ["env", f"RUNBOOK_STATE={tmp_path}/host", COMMAND]}
        fleet.write_inventory(**variables)
        (done,) = work(fleet, mark, "node-2", state_here="/nowhere")
    assert (done.state, done.code) == (HostState.CHANGED, 0), done
    assert done.report is not None
    assert done.report["folder"] == str(tmp_path / "host" / "backups")
    assert CANARY.encode() not in in_files(tmp_path / "host")


def test_encrypted_on_the_host_and_proven_by_whoever_holds_the_identity_there(
    fleet: Fleet, mark: str, tmp_path: Path
) -> None:
    """Who writes cannot open it, and says so; the identity is the host's, and nobody else reads it."""
    from pyrage import x25519  # noqa: PLC0415 - only here

    key = x25519.Identity.generate()
    identity = tmp_path / "identity"
    identity.touch(mode=0o600)
    identity.write_text(f"{key}\n")
    here = {"state_here": str(tmp_path / "state")}
    fleet.write_inventory(engram_backup_identity=str(identity))
    (done,) = work(fleet, mark, "node-3", recipients=[str(key.to_public())], **here)
    assert done.report is not None, done
    told = done.report["proofs"][0]
    assert (told["level"], told["backup"]["encrypted_to"]) == (1, [str(key.to_public())])
    inputs = {"target": "prod", "level": 3, **here}
    (proven,) = AnsiblePlays(fleet.inventory).work(
        WorkRequest("verify_backup", ("node-3",), mark, inputs), lambda _: None
    )
    assert proven.report is not None, proven
    assert proven.report["proofs"][0]["level"] == 3
    assert str(key).encode() not in in_files(tmp_path / "state")


def test_the_token_is_in_no_command_line_and_no_environment(fleet: Fleet, tmp_path: Path) -> None:
    """What stands for `runbook` writes down what it is given: its words, its environment, its configuration."""
    spy = tmp_path / "spy"
    spy.write_text(
        f'#!/bin/sh\nexec >{tmp_path}/seen\nprintf \'%s \' "$0" "$@"\ncat /proc/$$/environ\n'
        'for word; do case "$word" in */runbook.toml) cat "$word" "${word%/*}/inventory.yml"; esac; done\n'
    )
    spy.chmod(0o700)
    given = {
        "command": [str(spy)],
        "arguments": ["backup", "create"],
        "node": "node-1",
        "target": "prod",
        "url": fleet.urls["node-1"],
        "token": CANARY,
        "token_file": "",
        "allow_plain_http": False,
        "state": "",
        "asks_a_node": True,
    }
    assert host_runbook.carry_out(given) == {"exit_code": 0, "report": None, "error": None}
    seen = (tmp_path / "seen").read_bytes()
    assert b"/proc/self/fd/" in seen
    assert CANARY.encode() not in seen


def test_by_hand_nothing_is_written_under_check_and_no_token_is_shown(fleet: Fleet, tmp_path: Path) -> None:
    """`--check` says what would be run; what is shown at the highest verbosity has no token in it."""
    fleet.write_inventory(engram_backup_folder=str(tmp_path / "{{ inventory_hostname }}"))
    here = json.dumps({"state_here": str(tmp_path / "state")})
    check = by_hand(fleet, "backup_node", here, "--check", "-v")
    assert check.stdout.count("would run: runbook backup create") == 3, check.stdout + check.stderr
    assert not list(tmp_path.iterdir())
    real = by_hand(fleet, "backup_node", here, "--limit", "node-1", "-vvvv")
    assert "changed=1" in real.stdout, real.stdout + real.stderr
    proven = by_hand(fleet, "verify_backup", here, "--limit", "node-1", "-v")
    assert "level 3 of" in proven.stdout, proven.stdout + proven.stderr
    for told in (check, real, proven):
        assert CANARY not in told.stdout + told.stderr


def test_a_host_whose_run_is_not_known_is_asked_for_its_last_one(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """An empty run stays one on its way through Ansible; a host that has migrated nothing is left as it is."""
    fleet.write_inventory()
    inputs = {"target": "prod", "state_here": str(tmp_path / "state"), "to": "single_memory"}
    request = WorkRequest("revert_migration", ("node-1",), mark, inputs | {"run_by_host": {"node-1": ""}})
    (done,) = AnsiblePlays(fleet.inventory).work(request, lambda _: None)
    assert done.state is HostState.UNCHANGED, done
    assert "there is no migration to single_memory to go back from" in done.message


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no-program": ({"engram_runbook": "/does/not/exist"}, "engram_runbook of the inventory names it"),
    "no-report": ({"engram_runbook": ["/bin/echo", "x"]}, "printed no report"),
    "fails": ({"engram_runbook": "/bin/false"}, "without a report"),
    "no-node": ({"engram_host_url": "http://127.0.0.1:9"}, "connection refused"),
    "no-token": ({"engram_host_token_file": "/does/not/exist"}, "/does/not/exist"),
}


def test_what_is_wrong_on_a_host_is_said(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """A command that is none, a node that does not answer, a token that is not there: one node by five hosts."""
    fleet.write_inventory()
    document = yaml.safe_load(fleet.inventory.read_text())
    hosts = document["all"]["hosts"]
    document["all"]["hosts"] = {name: hosts["node-1"] | variables for name, (variables, _) in WRONG.items()}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps(document))
    request = WorkRequest("backup_node", tuple(WRONG), mark, {"target": "prod", "state_here": str(tmp_path)})
    for done in AnsiblePlays(inventory).work(request, lambda _: None):
        assert (done.state, WRONG[done.host][1] in done.message) == (HostState.FAILED, True), done


def test_a_host_that_the_inventory_lacks_is_an_error(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """Where every other host has done it, so that no failed wave is the reason."""
    fleet.write_inventory(engram_backup_folder=str(tmp_path / "{{ inventory_hostname }}"))
    with pytest.raises(UsageError, match="not in the inventory: node-9"):
        work(fleet, mark, "node-1", "node-9", state_here=str(tmp_path / "state"))


def test_a_name_is_never_taken_for_an_option() -> None:
    """And a restore without a name is refused before anything is sent."""
    with pytest.raises(WayError, match="no name"):
        Work("verify", backup="--all").words()
    with pytest.raises(WayError, match="no backup is named"):
        Work("restore").words()


def test_a_report_of_bad_news_is_a_failure_and_is_kept() -> None:
    """Level 4 was asked for and not reached: the task fails, and the report says how far it went."""
    report = {"meaning": "could not tell", "data": {"proofs": [{"level": 3, "backup": {"name": "x"}}]}}
    result = result_of(Work("verify"), {"collected": {"exit_code": 4, "report": report, "error": None}})
    assert result["failed"]
    assert result["collected"]["report"] == report
    assert "could not tell" in result["msg"]


@pytest.mark.parametrize(
    ("last", "run"),
    [
        (None, None),
        ({"to": "dual_memory", "status": "done", "run": "r1"}, None),
        ({"to": "single_memory", "status": "open", "run": "r1"}, "r1"),
        ({"to": "single_memory", "status": "done", "run": "r1"}, "r1"),
        ({"to": "single_memory", "status": "reverted", "run": "r1"}, None),
    ],
)
def test_a_run_that_nobody_knows_is_the_last_one_of_that_kind(last: dict[str, Any] | None, run: str | None) -> None:
    """Of a host that was lost before it could tell its run; one that has gone back does not go back further."""
    work = Work("revert", to="single_memory")
    assert work.needs_status
    assert not replace(work, run="r9").needs_status
    report = None if last is None else {"data": last}
    found = work.after({"collected": {"exit_code": 0, "report": report}})
    assert (None if found is None else found.run) == run


@pytest.mark.parametrize(
    ("last", "left"),
    [
        (None, "migrate"),
        ({"to": "dual_memory", "status": "open", "run": "r1"}, "migrate"),
        ({"to": "single_memory", "status": "open", "run": "r1"}, "resume"),
        ({"to": "single_memory", "status": "reverted", "run": "r1"}, "migrate"),
        ({"to": "single_memory", "status": "done", "nodes": [{"serves": "g2 (single_memory)"}]}, None),
        ({"to": "single_memory", "status": "done", "nodes": [{"serves": "g1 (dual_memory)"}]}, "migrate"),
        ({"to": "single_memory", "status": "done", "nodes": []}, "migrate"),
    ],
)
def test_a_migration_that_was_begun_or_done_is_not_begun_again(last: dict[str, Any] | None, left: str | None) -> None:
    """What its host tells of the last one decides."""
    report = None if last is None else {"data": last}
    found = Work("migrate", to="single_memory").after({"collected": {"exit_code": 0, "report": report}})
    assert (None if found is None else found.kind) == left


@pytest.mark.parametrize(("told", "known"), [(12, 12), (-9, None), (99, None), ("12", None)])
def test_only_exit_codes_that_runbook_has_are_taken_from_a_host(told: object, known: int | None) -> None:
    """One that was killed, or is of a version to come, has none that could be handed on."""
    gathering = Gathering(lambda _: None, works=True)
    document = {"exit_code": told, "report": None, "error": None}
    gathering.take({"event": "runner_on_failed", "event_data": {"host": "n1", "res": {"collected": document}}})
    (result,) = gathering.worked(["n1"], 2)
    assert result.code == known
