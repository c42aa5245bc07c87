"""A node, its backups and its migrations in any order, with kills and a clock that lies: nothing is ever lost.

The model is a dictionary: what was put and not deleted, by its id.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from fleet_in_memory import CrashError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from migrate_scene import Scene
from vault_scene import HeardTalk, VaultScene
from whole_data import SPACE, read

from runbook.adapters.archives.bench import FileBench
from runbook.adapters.archives.kept import KeptArchives
from runbook.adapters.archives.vault import FolderVault
from runbook.adapters.memory.locks import MemoryLocks
from runbook.engine.backup.prune import prune
from runbook.engine.backup.retention import Rule
from runbook.engine.migrate.run import finalize, go_back, migrate, resume
from runbook.errors import RefusedError
from runbook.model.migration_run import DUAL, SINGLE
from runbook.model.run import RunStatus
from runbook.ports.backups import BackupPorts
from runbook.sandbox.engine import Engine

# A reader that a kill cuts off never closes its nameless temporary file; the process would be gone.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
THOROUGH = os.environ.get("FAULTS") == "all"


class AnyOrder(RuleBasedStateMachine):
    """One node; `wanted` is what it has to serve."""

    ids = Bundle("ids")
    backups = Bundle("backups")
    files = Bundle("files")

    @initialize()
    def begin(self) -> None:
        """An empty node."""
        self.root = Path(tempfile.mkdtemp(prefix="runbook-faults-"))
        self.wanted: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.number = 0
        self.run = ""
        engine = Engine(self.root / "node")
        engine.memory.create_space(SPACE).result()
        self.scene = Scene(self.root, engine)
        self.vault = _vault(self.scene)

    def _next(self) -> int:
        self.number += 1
        return self.number

    @property
    def kind(self) -> str:
        """Of what is served."""
        return str(self.scene.data.holdings().active.kind)

    @rule(target=ids)
    def put(self) -> str:
        """A new text."""
        number = self._next()
        name, text = f"ep-{number}", f"The {('heron', 'ledger', 'comet')[number % 3]} came by, time {number}"
        self.scene.remember(name, text)
        self.wanted[name] = text
        return name

    @rule(name=consumes(ids))
    def delete(self, name: str) -> None:
        """A text is forgotten, if it is served."""
        if name in self.wanted:
            self.scene.forget(name)
            del self.wanted[name]
            self.forgotten.add(name)

    @rule()
    def consolidate(self) -> None:
        """The node forms what concepts it can."""
        self.scene.engine.consolidate()

    @rule(target=files)
    def export(self) -> tuple[Path, dict[str, str]]:
        """An export file."""
        path = self.root / f"export-{self._next()}.json"
        with self.scene.data.export(self.kind) as chunks:
            KeptArchives().keep(chunks, path)
        return path, dict(self.wanted)

    @rule(file=files)
    def look_at_an_export(self, file: tuple[Path, dict[str, str]]) -> None:
        """It holds what was there when it was made, whatever happened since."""
        path, wanted = file
        assert texts(path.read_bytes()) == wanted

    @rule(target=backups)
    def backup(self) -> tuple[str, dict[str, str]]:
        """A backup bundle."""
        made = self.vault.create()
        return made.proof.backup.name, dict(self.wanted)

    @rule(backup=backups, then=st.booleans())
    def restore(self, backup: tuple[str, dict[str, str]], *, then: bool) -> None:
        """What it holds is served again, but for what was forgotten since; or it is refused, and nothing changed."""
        name, held = backup
        if name not in {each.name for each in self.vault.vault.shelf()}:
            return  # pruned
        with suppress(RefusedError):  # then nothing was changed, as the invariants say
            self.vault.restore(name, reason="test", activate=then, replace=True)
            if then:
                self.wanted = {id_: text for id_, text in held.items() if id_ not in self.forgotten}
                self.run = ""

    @rule()
    def prune(self) -> None:
        """Of each node one backup stays: the last verified one."""
        before = {each.name for each in self.vault.vault.shelf()}
        prune(self.vault.ports, Rule(daily=1, weekly=0, monthly=0), "r3")
        after = {each.name for each in self.vault.vault.shelf()}
        assert after <= before
        assert bool(after) == bool(before)

    @rule(days=st.sampled_from([-400, -1, 1, 400]))
    def the_clock_jumps(self, days: int) -> None:
        """Back or forth."""
        self.scene.clock.set_wall(self.scene.clock.now() + timedelta(days=days))

    @rule()
    def kill(self) -> None:
        """`kill -9` of the node: what is in its files at that moment is what it starts from."""
        old, folder = self.scene.engine, self.root / f"node-{self._next()}"
        shutil.copytree(old.folder.path, folder)
        old.close()
        self._serve(Engine(folder))

    def _serve(self, engine: Engine) -> None:
        self.scene.engine = self.scene.data.engine = self.vault.engine = engine

    @rule(calls=st.integers(1, 60) | st.none(), back=st.booleans())
    def migrate(self, calls: int | None, *, back: bool) -> None:
        """To the other kind; perhaps killed after so many calls, together with the node, and then resumed or undone."""
        self._nothing_staged()
        run = f"20261122T{self._next():06d}-aaaa"
        plan = self.scene.plan(SINGLE if self.kind == DUAL else DUAL, run=run)
        self.scene.wire.calls.clear()
        self.scene.wire.trip_after = calls
        try:
            found = migrate(self.scene.context, plan)
            assert found.status is RunStatus.DONE
            self.run = run
        except CrashError:
            self.scene.wire.trip_after, self.scene.wire.dead = None, False
            self.kill()
            self._end(run, back=back)
        self.scene.wire.trip_after = None

    def _end(self, run: str, *, back: bool) -> None:
        if not self.scene.begun(run) or self.scene.ended(run):
            self.run = run if self.scene.begun(run) else self.run
            return
        end = go_back if back else resume
        assert end(self.scene.context, self.scene.run(run)).status is (RunStatus.REVERTED if back else RunStatus.DONE)
        self.run = "" if back else run

    def _nothing_staged(self) -> None:
        for name, state in self.scene.states().items():
            if state == "staging":
                self.scene.data.drop(name)

    @rule()
    def revert(self) -> None:
        """Back to what was served before the last migration, with what was written since."""
        if self.run:
            self._nothing_staged()
            with suppress(RefusedError):  # then nothing was changed, as the invariants say
                assert go_back(self.scene.context, self.scene.run(self.run)).status is RunStatus.REVERTED
            self.run = ""

    @rule()
    def finalize(self) -> None:
        """There is no way back any more."""
        if self.run:
            with suppress(RefusedError):  # then nothing was changed, as the invariants say
                finalize(self.scene.context, self.scene.run(self.run))
            self.run = ""

    @invariant()
    def what_was_put_is_served(self) -> None:
        """All of it, and nothing else."""
        assert texts(self.scene.export(self.kind)) == self.wanted

    @invariant()
    def every_backup_reads(self) -> None:
        """None is ever half."""
        for each in self.vault.vault.shelf():
            assert self.vault.vault.verify(each.name, 2, (), lambda _: None).complete

    def teardown(self) -> None:
        """Nothing is left."""
        self.scene.engine.close()
        shutil.rmtree(self.root)


def _vault(scene: Scene) -> VaultScene:
    """Backups of the same node, told in the same journal."""
    made = object.__new__(VaultScene)
    made.folder, made.talk, made.clock = scene.folder, HeardTalk(), scene.clock
    made.engine, made.node, made.journal = scene.engine, scene.data, scene.journal
    made.vault = FolderVault(scene.folder / "backups")
    made.ports = BackupPorts(made.vault, FileBench(), made.journal, MemoryLocks(), made.clock, made.talk)
    return made


def texts(archive: bytes) -> dict[str, str]:
    """What the archive remembers, by its id."""
    return {each["id"]: each["content"] for each in read(archive)[1] if each["type"] in {"episode", "memory"}}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=200 if THOROUGH else 8,
    stateful_step_count=40 if THOROUGH else 15,
    deadline=None,
    derandomize=not THOROUGH,
    suppress_health_check=list(HealthCheck),
)
