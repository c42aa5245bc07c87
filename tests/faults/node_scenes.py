"""A real node with a small store, a folder with a configuration that names it, and what may be found there."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import deeds
from archive_records import binding, concept, dual, episode, written
from killing import SCRATCH, Point, Runner, Scene, content
from running_node import RunningNode, wait_until
from whole_data import activate, digest, export, staged, states

from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.verify import verify_backup

QUIET = ("--progress", "none")
ENVIRONMENT = {"RUNBOOK_CONFIG": "{}/runbook.toml"}
OTHER = written("dual_memory", [episode("other"), concept(), binding("other")])
"""What an import brings."""


def fill(node: RunningNode) -> None:
    """Have the node serve a small dual memory."""
    more = [episode(f"ep_{number}", activation=number / 10) for number in range(3, 9)]
    assert activate(node, staged(node, written("dual_memory", [*dual()[:2], *more, *dual()[2:]]))).status == 200


def configured(folder: Path, node: RunningNode) -> None:
    """A configuration whose only target is that node, and archives."""
    folder.mkdir()
    host = {"engram_url": node.url, "engram_token_file": str(node.token_file)}
    (folder / "prod.yml").write_text(json.dumps({"all": {"hosts": {"prod-1": host}}}))
    (folder / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "production"\ninventory = "prod.yml"\n'
    )
    (folder / "backup.json").write_bytes(export(node))
    (folder / "other.json").write_bytes(OTHER)


def results(folder: Path) -> dict[str, bytes | None]:
    """What commands were asked for: everything with a final name, except the tool's own state."""
    return {
        name: _without_the_moment(name, data)
        for name, data in content(folder).items()
        if not any(part.startswith(".") or part in {"state", "xdg", "backups.lock"} for part in Path(name).parts)
    }


def _without_the_moment(name: str, data: bytes | None) -> bytes | None:
    """A manifest names the end of the journal at its moment, and is named by its own hash."""
    if data is None or not name.endswith("MANIFEST.json"):
        return data
    return re.sub(rb'"(journal|sha256)": *("[0-9a-f]*"|\{[^}]*\})', b"", data)


def check(folder: Path) -> None:
    """Whatever has a final name reads strictly to its end, and the journal is sound."""
    for path in [*folder.glob("backup.json"), *folder.glob("[a-z]*le.json"), *folder.glob("[a-z]*.residue.json")]:
        with opened_export(path) as reader:
            reader.read()
    for path in (folder / "store").glob("*.backup"):
        assert verify_backup(path, 3).level == 3
    state = deeds.journal_in(folder).verify()
    assert state.sound, state


def lenient(point: Point) -> bool:
    """What loses nothing when it fails: a file without a name, who held a lock, and what tidies up."""
    return point.name in {"unlink", "unlinkat", "rmdir"} or any(
        each in point.text for each in (f"/{SCRATCH}", ".lock>")
    )


def run(forks: Runner, folder: Path, *command: str) -> None:
    """A command that is through."""
    scene = Scene("", command, folder, check, results, environment=ENVIRONMENT)
    ran = scene.run(forks, folder)
    assert ran.code == 0, ran.err


class Prepared:
    """What a node prepares beside what it serves: nothing, or something whole."""

    def __init__(self, node: RunningNode, wanted: bytes) -> None:
        self._node = node
        self._wanted = digest(wanted)
        self._served = digest(export(node))

    def renew(self) -> None:
        """Nothing is prepared, and nobody holds the node."""
        self.free()
        for name, state in states(self._node).items():
            if state == "staging":
                assert self._node.admin("DELETE", f"generations/{name}").status == 200

    def free(self) -> None:
        """Let the lease of a killed run go: it would end by itself, later."""
        lease = self._node.admin("GET", "lease").json["lease"]
        if lease is not None:
            assert self._node.admin("DELETE", "lease", {"run": lease["run"]}).status == 200

    def found(self) -> Mapping[str, object]:
        """The digests of what is served and what is prepared."""
        found = {state: digest(export(self._node, generation=name)) for name, state in states(self._node).items()}
        return {state: each for state, each in found.items() if state != "kept"}

    def check(self) -> None:
        """What is served is what was served, and what is prepared is whole, once the node has seen its peer die."""
        wait_until(self._whole, f"it is not whole: {self.found()}")

    def _whole(self) -> bool:
        found = dict(self.found())
        return found.pop("active") == self._served and set(found.values()) <= {self._wanted}
