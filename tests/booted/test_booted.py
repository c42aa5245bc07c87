"""What needs a real systemd: installed over ssh as the pages say, and its services at work under the hardening.

The tests are one story, and stand in its order. `make booted` runs it, `make test` does not: it needs root, a kernel
that lets systemd run in a container, and a Debian that debootstrap brings.
"""

import json
import re
import socket
from collections.abc import Iterator

import pytest
from booted_bastion import PLAN, REMOVE, SETTLED, STATE, Bastion, bare_bastion
from booted_machine import what_is_missing
from running_node import wait_until

from runbook.errors import ExitCode

SERVE, WATCH = "engram-runbook-serve.service", "engram-runbook-watch@prod.service"
BACKUP, VALIDATE = "engram-runbook-backup@prod", "engram-runbook-validate@prod"
TRIED = """
for path in /usr/x /opt/engram-runbook/x /etc/engram-runbook/x /var/lib/x /home/alice/x; do
  touch $path && echo "WROTE $path"
done
ls /home /root && echo "SAW homes"
sudo -n -u root id && echo "BECAME root"
unshare --user id && echo "MADE a namespace"
mount -t tmpfs none /mnt && echo "MOUNTED"
date -s 2001-01-01 && echo "SET the clock"
kill -0 1 && echo "SIGNALLED pid 1"
touch STATE/x /var/cache/engram-runbook/x /tmp/x && chmod u+s STATE/x && echo "MADE a setuid file"
ls STATE/x /var/cache/engram-runbook/x /tmp/x
"""
pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(what_is_missing()), reason=f"no systemd can be booted: {what_is_missing()}"),
]


@pytest.fixture(scope="module")
def bastion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bastion]:
    """One for all."""
    with bare_bastion(tmp_path_factory.mktemp("bastion")) as made:
        yield made


def test_a_first_version_that_does_not_come_up_is_not_tried_for_ever(bastion: Bastion) -> None:
    """Somebody else has the port: the play fails, nothing is in use, and systemd has nothing to start again."""
    with socket.create_server(("127.0.0.1", bastion.serve)):
        failed = bastion.play(bastion.by_name)
    assert "nothing is in use" in failed.stdout, failed.stdout + failed.stderr
    enabled, state = bastion.machine.unit(SERVE, "UnitFileState", "ActiveState")
    assert (enabled, state in {"inactive", "failed"}) == ("disabled", True), state


def test_a_version_by_name_is_installed_enabled_and_started_and_a_second_play_changes_nothing(bastion: Bastion) -> None:
    """Server and timers are there after the play; systemd itself finds nothing in any unit to complain of."""
    installed = bastion.play(bastion.by_name)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    for unit in (SERVE, f"{BACKUP}.timer", f"{VALIDATE}.timer"):
        assert bastion.machine.unit(unit, "UnitFileState", "ActiveState") == ["enabled", "active"]
    assert bastion.answers()
    again = bastion.play(bastion.by_name)
    assert "changed=0 " in again.stdout, again.stdout + again.stderr
    complaints = bastion.machine("journalctl -b _PID=1 -o cat --grep '/engram-runbook.*: ' || true")
    assert complaints == ""


def test_what_the_page_says_of_keys_tokens_and_configuration_is_enough(bastion: Bastion) -> None:
    """A node that is reached over ssh by the account's own key, and every line of `doctor` is good."""
    (node,) = json.loads((bastion.fleet / "sandbox/fleet.json").read_bytes())["nodes"]
    token = (bastion.fleet / "sandbox/node-1/admin.token").read_text().strip()
    said = {"port": bastion.machine.port, "url": f"http://127.0.0.1:{node['port']}", "serve": bastion.serve}
    bastion.machine(SETTLED.format(state=STATE, plan=PLAN, token=token, **said))
    bastion.machine(f"systemctl restart {SERVE}")
    told = bastion.machine("runbook doctor", by="alice")
    assert "good  node-1" in told, told


def test_people_on_call_enter_the_account_and_nobody_else_does(bastion: Bastion) -> None:
    """By the rule for sudo, with no password and to run nothing but `runbook`; who is not on call reads no token."""
    rule = "/opt/engram-runbook/current/stage/bin/runbook"
    bastion.machine(f"sudo -n -u engram-runbook {rule} runs", by="bob")
    for by, command in (("alice", "id"), ("alice", "/opt/engram-runbook/current/bin/runbook"), ("mallory", rule)):
        assert "password is required" in bastion.machine.run(f"sudo -n -u engram-runbook {command}", by).stderr
    for path in ("/etc/engram-runbook/prod.token", f"{STATE}/.ssh/id_ed25519"):
        bastion.machine(f"cat {path}", by="mallory", expect=1)


def test_a_service_writes_nothing_but_its_own_state(bastion: Bastion) -> None:
    """As its unit is, with another program: no file elsewhere, no root, no namespace, no clock, no other process."""
    folder = "/etc/systemd/system/engram-runbook-validate@probe.service.d"
    line = f"[Service]\\nExecStart=\\nExecStart=-/bin/sh {STATE}/tried\\nExecStopPost=\\n"
    tried = TRIED.replace("STATE", STATE)
    bastion.machine(f"mkdir {folder}; printf '{line}' >{folder}/probe.conf; cat >{STATE}/tried <<'END'\n{tried}\nEND\n")
    bastion.machine("systemctl daemon-reload; systemctl start engram-runbook-validate@probe")
    said = bastion.machine("journalctl -u engram-runbook-validate@probe -o cat")
    assert said.count("Read-only file system") == 4, said
    assert re.findall("^(?:WROTE|SAW|BECAME|MADE|MOUNTED|SET|SIGNALLED).*", said, re.MULTILINE) == []
    assert said.count("/x\n") == 3, said  # in state, cache and /tmp
    bastion.machine("test ! -e /tmp/x")  # its own /tmp ended with it
    status = bastion.machine(f"cat /proc/$(systemctl show -P MainPID {SERVE})/status")
    assert re.findall(r"^(?:CapBnd|CapEff|NoNewPrivs|Seccomp):\s+(\d+)", status, re.MULTILINE) == ["0" * 16] * 2 + [
        "1",
        "2",
    ]


def test_a_server_that_is_stopped_has_ended_well_and_one_that_is_killed_is_back(bastion: Bastion) -> None:
    """143 is no failure; after `kill -9` another one answers, and it is told which start that was."""
    bastion.machine(f"systemctl stop {SERVE}")
    assert bastion.machine.unit(SERVE, "ExecMainStatus", "Result", "ActiveState") == ["143", "success", "inactive"]
    bastion.machine(f"systemctl start {SERVE}")
    assert bastion.answers()  # "started" says so
    bastion.machine(f"kill -9 $(systemctl show -P MainPID {SERVE})")
    wait_until(
        lambda: bastion.machine.unit(SERVE, "NRestarts", "SubState") == ["1", "running"], "it did not come back", 60
    )
    assert bastion.answers()


def test_a_timer_that_elapses_starts_its_service(bastion: Bastion) -> None:
    """Each with a time of one's own, as by `systemctl edit`: the node's host makes the backup, over ssh."""
    bastion.machine("runbook baseline capture --window 20s", by="alice")
    for name in (BACKUP, VALIDATE):
        own = f"/etc/systemd/system/{name}.timer.d"
        text = "[Timer]\\nOnCalendar=\\nRandomizedDelaySec=0\\nOnActiveSec=1\\n"
        bastion.machine(f"mkdir {own}; printf '{text}' >{own}/override.conf; systemctl daemon-reload")
        bastion.machine(f"systemctl restart {name}.timer")
    started = bastion.machine.unit

    def ended(unit: str) -> bool:
        code, state = started(unit, "ExecMainCode", "ActiveState")
        return code != "0" and state in {"inactive", "failed"}

    wait_until(lambda: ended(f"{BACKUP}.service"), "no backup was made", 120)
    assert started(f"{BACKUP}.service", "Result", "ExecMainStatus") == ["success", "0"]
    assert "prod: 1 nodes" in bastion.machine("runbook backup list", by="bob")
    assert ".backup" in bastion.machine("ls /srv/engram/backups")
    wait_until(lambda: started(f"{VALIDATE}.service", "ActiveState") == ["activating"], "nothing is validated", 60)


def test_a_rollout_by_two_people_is_watched(bastion: Bastion) -> None:
    """Who started it cannot approve it, another one on call can: the journal knows them apart."""
    run = bastion.machine
    run("runbook rollout start --plan /etc/engram-runbook/plan.yml --yes --reason CHANGE-1", by="alice")
    run("runbook rollout approve --plan --yes --reason mine", by="alice", expect=ExitCode.REFUSED)
    run("runbook rollout approve --plan --yes --reason 'looked at it'", by="bob")
    run("runbook rollout advance --yes --reason CHANGE-1", by="alice")
    run(f"systemctl enable --now {WATCH}")
    assert run.unit(WATCH, "ActiveState", "NotifyAccess") == ["active", "main"]


def test_another_version_takes_over_and_one_that_does_not_come_up_is_taken_back(bastion: Bastion) -> None:
    """What ran is restarted; where the new server ends at once the old one answers again, and the play fails."""
    current, before = "readlink /opt/engram-runbook/current", bastion.machine.unit(WATCH, "MainPID")
    worked = bastion.play(bastion.other("second"))
    assert worked.returncode == 0, worked.stdout + worked.stderr
    version = bastion.machine(current)
    assert bastion.machine.unit(WATCH, "ActiveState") == ["active"]
    assert bastion.machine.unit(WATCH, "MainPID") != before
    for unit in (SERVE, WATCH):
        runs = bastion.machine(f"tr '\\0' ' ' </proc/$(systemctl show -P MainPID {unit})/cmdline")
        assert runs.startswith(f"{version}/bin/python"), runs

    failed = bastion.play(bastion.other("broken", broken="runbook/serve/app.py"))
    assert failed.returncode != 0
    assert "the version before is in use again" in failed.stdout, failed.stdout
    assert "did not come back" not in failed.stdout
    assert bastion.machine(current) == version
    assert [bastion.machine.unit(unit, "ActiveState") for unit in (SERVE, WATCH)] == [["active"]] * 2
    assert bastion.answers()


def test_a_machine_that_starts_again_brings_up_what_was_enabled(bastion: Bastion) -> None:
    """Server, watch and timers, by themselves; a systemd that is executed anew disturbs nothing."""
    judged = ("ActiveState", "ExecMainStatus")
    wait_until(lambda: bastion.machine.unit(f"{VALIDATE}.service", *judged[:1]) != ["activating"], "no validation", 500)
    code = ExitCode(int(bastion.machine.unit(f"{VALIDATE}.service", *judged)[1]))
    assert code in {ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.COULD_NOT_TELL}
    assert "Recommendation: " in bastion.machine(f"journalctl -u {VALIDATE}.service -o cat")
    pid = bastion.machine.unit(SERVE, "MainPID")
    bastion.machine("rm -r /etc/systemd/system/engram-runbook-*.timer.d; systemctl daemon-reexec")
    assert bastion.machine.unit(SERVE, "MainPID") == pid
    bastion.machine.halt()
    bastion.machine.boot()
    assert bastion.answers()
    for unit in (SERVE, WATCH, f"{BACKUP}.timer", f"{VALIDATE}.timer"):
        assert bastion.machine.unit(unit, "ActiveState", "NRestarts")[:1] == ["active"], unit


def test_harm_is_taken_back_over_ssh_under_the_filter_and_somebody_is_told(bastion: Bastion) -> None:
    """The watch runs the plays, ends with 3, and is not started again; on-failure has its name."""
    bastion.sandbox("inject", "errors", "--group", "treatment", "--percent", "50", "--no-wait")
    wait_until(lambda: bastion.machine.unit(WATCH, "ActiveState") == ["failed"], "nothing was taken back", 120)
    assert bastion.machine.unit(WATCH, "ExecMainStatus", "NRestarts") == [str(int(ExitCode.BAD_NEWS)), "0"]
    status = bastion.machine.run("runbook rollout status", "bob").stdout
    assert "ROLLED BACK" in status.upper(), status
    told = wait_until(lambda: WATCH in bastion.machine(f"cat {STATE}/failed || true").splitlines(), "nobody was told")
    assert told
    bastion.machine("runbook audit verify", by="alice")
    bundle = bastion.machine("runbook runs --last --evidence", by="alice")
    bastion.machine(f"runbook evidence verify '{bundle}'", by="alice")


def test_what_the_page_removes_is_gone(bastion: Bastion) -> None:
    """Its lines, by root: no unit, no program, no rule for sudo; configuration, state and account stay."""
    bastion.machine(f"systemctl disable {WATCH}")  # as the page says of a watch whose rollout is over
    bastion.machine(REMOVE)
    assert bastion.machine("find /etc/systemd /etc/sudoers.d /opt /usr/local -name '*runbook*'") == ""
    assert bastion.machine("systemctl list-units --all --plain --no-legend 'engram-runbook*' --state=active") == ""
    bastion.machine(f"test -s {STATE}/journal.jsonl; test -s /etc/engram-runbook/runbook.toml; id engram-runbook")
