"""Planted secrets: no output, no file, no journal and no command line of a child ever holds one."""

import json
from collections.abc import Callable, Container
from pathlib import Path

from archive_records import dual, written
from killing import Runner
from node_scenes import configured
from running_node import StartNode

EXECUTED = ("-s", "100000", "-v", "-e", "trace=execve")
OF_THE_ENVIRONMENT = "planted-environment-3f1c9a"
OF_THE_URL = "planted-url-77ab20"
OF_THE_REASON = "planted-reason-90cd11"
WRONG_TOKEN = "planted-wrong-token-5e5e5e"  # noqa: S105 - it is planted
FAILS = range(2, 18)


def targets(folder: Path, url: str, token_file: Path) -> None:
    """Three more targets: one with a token that the node refuses, one with a password in its URL, one that is dead."""
    wrong = folder / "wrong.token"
    wrong.write_text(WRONG_TOKEN)
    wrong.chmod(0o600)
    told = 'version = 1\ndefault_target = "prod"\n'
    for name, where, token in (
        ("prod", url, token_file),
        ("wrong", url, wrong),
        ("named", url.replace("//", f"//anna:{OF_THE_URL}@"), token_file),
        ("dead", "http://127.0.0.1:9", token_file),
    ):
        host = {"engram_url": where, "engram_token_file": str(token)}
        (folder / f"{name}.yml").write_text(json.dumps({"all": {"hosts": {f"{name}-1": host}}}))
        told += f'[targets.{name}]\nenvironment = "production"\ninventory = "{name}.yml"\n'
    (folder / "runbook.toml").write_text(told)


def commands(folder: Path, recipient: str) -> list[tuple[Container[int], str]]:
    """What is run, with the exit codes that are right; each word is free of spaces."""
    reason = f"--yes --reason password={OF_THE_REASON}"
    backups = f"--folder {folder}/store"
    key = f"--identity {folder}/key.txt"
    return [
        ((0,), f"export --format dual_memory -o {folder}/out.json --json"),
        ((0,), "export --format dual_memory -o -"),
        *[(FAILS, f"export --format dual_memory -o - -t {name}") for name in ("wrong", "named", "dead")],
        *[(FAILS, f"backup create {backups} -t {name} --json") for name in ("wrong", "named", "dead")],
        ((0,), f"inspect {folder}/out.json --json"),
        ((0,), f"backup create {backups} --encrypt-to {recipient} --json"),
        ((0,), f"backup list {backups} --json"),
        ((0,), f"backup verify {backups} --level 4 {key}"),
        (FAILS, f"backup verify {backups} --level 3 --identity {folder}/wrong.token"),
        ((0,), f"backup restore {backups} BACKUP {key} {reason}"),
        ((0,), f"backup prune {backups} --apply --json"),
        ((0,), f"import --drop {reason}"),
        ((0,), f"import {folder}/other.json {reason}"),
        ((12,), f"import {folder}/wrong.token {reason}"),
        ((0,), f"import --drop {reason} --json"),
        ((0,), f"migrate --to single_memory --backup {folder}/out.json -o {folder}/single.json --json"),
        ((0,), f"migrate --to single_memory --backup {folder}/out.json {reason}"),
        ((0,), "migrate status --json"),
        ((0,), f"migrate revert {reason}"),
        ((0,), "audit verify --json"),
        ((0,), "runs --json"),
    ]


def test_no_secret_is_told_kept_or_handed_on(
    forks: Runner, start_node: StartNode, tmp_path: Path, report: Callable[[object], None]
) -> None:
    """The node's token, another token, an age identity, passwords in a URL and in a reason, and the environment's."""
    import pyrage  # noqa: PLC0415 - only this test has an identity

    node = start_node(consolidation_seconds=3600.0)
    for number in range(4):
        node.remember(f"something to keep, number {number}")
    folder = tmp_path / "work"
    configured(folder, node)
    targets(folder, node.url, node.token_file)
    (folder / "other.json").write_bytes(written("dual_memory", dual()))
    identity = pyrage.x25519.Identity.generate()
    (folder / "key.txt").write_text(f"{identity}\n")
    (folder / "key.txt").chmod(0o600)
    planted = {
        "the node's token": node.token,
        "another token": WRONG_TOKEN,
        "the identity": str(identity),
        "the environment's": OF_THE_ENVIRONMENT,
        "the URL's": OF_THE_URL,
        "the reason's": OF_THE_REASON,
    }
    ours = {folder / name for name in ("wrong.token", "named.yml", "key.txt")}  # where they were planted
    environment = {
        "RUNBOOK_CONFIG": str(folder / "runbook.toml"),
        "ENGRAM_TOKEN": OF_THE_ENVIRONMENT,
        "AGE_IDENTITY": OF_THE_ENVIRONMENT,
        "ANSIBLE_VAULT_PASSWORD": OF_THE_ENVIRONMENT,
    }
    children = 0
    for codes, line in commands(folder, str(identity.to_public())):
        backup = next((path.name for path in folder.glob("store/*.backup")), "")
        ran = forks.run(
            ["runbook", *line.replace("BACKUP", backup).split()], folder, *EXECUTED, environment=environment
        )
        assert ran.code in codes, (line, ran.code, ran.err)
        told = ran.out.decode() + ran.err
        words = [call.partition("], [")[0] for call in ran.calls if "execve(" in call]  # the environment comes after
        children += len(words)
        for what, secret in planted.items():
            assert secret not in told, f"runbook {line} told {what}"
            assert secret not in "".join(words), f"runbook {line} gave {what} to a child"
    assert children
    kept = {path for place in (folder, node.log.parent) for path in place.rglob("*") if path.is_file()}
    for path in sorted(kept - ours - {node.token_file}):
        data = path.read_bytes()
        for what, secret in planted.items():
            assert secret.encode() not in data, f"{path} holds {what}"
    report(f"secrets: {len(planted)} planted, {len(kept)} files, {children} programs started by commands")
