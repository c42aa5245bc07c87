"""Whatever is done with a node's data, in whatever order: nothing is lost, and nothing forgotten comes back."""

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fleet_in_memory import CrashError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from migrate_scene import Scene, given
from vault_scene import HeardTalk
from whole_data import read

from runbook.adapters.archives.bench import FileBench
from runbook.adapters.archives.vault import FolderVault
from runbook.engine.backup.create import Wanted, create
from runbook.engine.backup.prune import plan, prune
from runbook.engine.backup.restore import Wish, look, restore
from runbook.engine.backup.retention import Rule
from runbook.engine.migrate.run import go_back, migrate
from runbook.model.migration_run import DUAL, SINGLE
from runbook.model.run import RunStatus
from runbook.ports.backups import BackupPorts

numbers = st.integers(0, 1000)


class WholeLife(RuleBasedStateMachine):
    """One node, one folder of backups, and what both must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="runbook-life-"))
        self.scene = Scene(self.folder, given(self.folder / "node"))
        self.node = self.scene.data
        vault, talk = FolderVault(self.folder / "backups"), HeardTalk()
        self.ports = BackupPorts(vault, FileBench(), self.scene.journal, self.scene.locks, self.scene.clock, talk)
        self.texts = self._served()
        self.forgotten: set[str] = set()
        self.backups: dict[str, dict[str, str]] = {}
        self.count = 0
        self.migrated = ""

    def teardown(self) -> None:
        """Nothing stays."""
        self.scene.engine.close()
        shutil.rmtree(self.folder)

    def _served(self) -> dict[str, str]:
        kind = self.node.holdings().active.kind
        records = read(self.scene.export(kind))[1]
        return {each["id"]: each["content"] for each in records if each["type"] in {"episode", "memory"}}

    def _next(self) -> str:
        self.count += 1
        return f"r{self.count}"

    def _cut_at(self, number: int) -> None:
        """The process ends at that call of the node, before it has any effect."""
        left = number

        def before(_: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise CrashError

        self.node.before = before

    def _uncut(self) -> None:
        self.node.before = lambda _: None

    @rule()
    def put(self) -> None:
        """A new text."""
        id_ = f"new_{self._next()}"
        self.texts[id_] = f"The text of {id_}"
        self.scene.remember(id_, self.texts[id_])

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        """Forget one for good."""
        if self.texts:
            id_ = sorted(self.texts)[number % len(self.texts)]
            del self.texts[id_]
            self.forgotten.add(id_)
            self.scene.forget(id_)

    @rule()
    def back_up(self) -> None:
        """It holds exactly what is served now."""
        found = create(self.ports, self.node, Wanted(self._next(), "prod", "test"))
        self.backups[found.proof.backup.name] = dict(self.texts)

    @rule(number=st.integers(0, 3))
    def back_up_killed(self, number: int) -> None:
        """Then there is nothing new, or all of it."""
        self._cut_at(number)
        try:
            found = create(self.ports, self.node, Wanted(self._next(), "prod", "test"))
            self.backups[found.proof.backup.name] = dict(self.texts)
        except CrashError:
            pass
        finally:
            self._uncut()

    @precondition(lambda self: self.backups)
    @rule(number=numbers, activate=st.booleans())
    def restore(self, number: int, *, activate: bool) -> None:
        """What it held is served again, less what was forgotten since."""
        name = sorted(self.backups)[number % len(self.backups)]
        wish = Wish(self._next(), "prod", name, activate=activate, replace=True)
        restore(self.ports, self.node, wish, look(self.ports, self.node, wish))
        if activate:
            held = self.backups[name]
            self.texts = {id_: text for id_, text in held.items() if id_ not in self.forgotten}
            self.migrated = ""
        else:
            self.node.drop(str(self.node.holdings().generations[-1].id))

    @precondition(lambda self: self.backups)
    @rule(number=numbers, calls=st.integers(0, 9))
    def restore_killed(self, number: int, calls: int) -> None:
        """Before the switch what is served is as it was, and nothing waits; after it, all of the backup is served."""
        name = sorted(self.backups)[number % len(self.backups)]
        wish = Wish(self._next(), "prod", name, activate=True, replace=True)
        before = self.node.holdings().active.id
        self._cut_at(calls)
        with suppress(CrashError):
            restore(self.ports, self.node, wish, look(self.ports, self.node, wish))
        self._uncut()
        self.node.unfreeze()  # it would end by itself
        assert "staging" not in self.scene.states().values()
        if self.node.holdings().active.id != before:
            held = self.backups[name]
            self.texts = {id_: text for id_, text in held.items() if id_ not in self.forgotten}
            self.migrated = ""

    @rule(daily=st.integers(0, 2), weekly=st.integers(0, 2))
    def prune(self, daily: int, weekly: int) -> None:
        """What was planned goes, and nothing else; the newest stays."""
        wanted = Rule(daily, weekly, 0)
        gone = {each.backup.name for each in plan(self.ports, wanted) if not each.reasons}
        prune(self.ports, wanted, self._next())
        self.backups = {name: held for name, held in self.backups.items() if name not in gone}

    @rule(days=st.integers(-4000, 40_000))
    def jump(self, days: int) -> None:
        """The clock of whoever prunes lies."""
        self.scene.clock.set_wall(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days))

    @rule()
    def migrate(self) -> None:
        """To the other kind, with everything."""
        to = SINGLE if self.node.holdings().active.kind == DUAL else DUAL
        self.migrated = self._next()
        assert migrate(self.scene.context, self.scene.plan(to, run=self.migrated)).status is RunStatus.DONE

    @precondition(lambda self: self.migrated)
    @rule()
    def revert(self) -> None:
        """Back to what was served before, with what was written and without what was forgotten since."""
        run = self.scene.run(self.migrated)
        assert go_back(self.scene.context, run).status is RunStatus.REVERTED
        self.migrated = ""

    @invariant()
    def all_is_there(self) -> None:
        """Every acknowledged text, and none that was forgotten."""
        assert self._served() == self.texts

    @invariant()
    def backups_are_whole(self) -> None:
        """Each that was told is there, under its own name, whole."""
        shelf = self.ports.vault.shelf()
        assert {each.name for each in shelf} == set(self.backups)
        assert all(not each.damage for each in shelf)
        for each in shelf[:1]:
            assert self.ports.vault.verify(each.name, 3).level == 3


@pytest.mark.slow
class TestWholeLife(WholeLife.TestCase):  # type: ignore[misc,name-defined]  # hypothesis makes it
    """Some lives of a dozen deeds each."""

    settings = settings(max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
