"""The fleets as the configuration names them now: it is read again each time, so that what was forbidden is at once."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from runbook.adapters.inventory import read_inventory
from runbook.config import Config, choose_target, load_config
from runbook.config.choice import SANDBOX, sandbox_file
from runbook.errors import RunbookError, UsageError
from runbook.model.configuration import TargetSettings


class ConfiguredTargets:
    """The targets of one configuration file, or of none, and a running sandbox."""

    def __init__(self, environ: Mapping[str, str], explicit: Path | None, state: Path) -> None:
        self._environ = environ
        self._explicit = explicit
        self._state = state
        self._path: Path | None = None

    def config(self) -> Config:
        """What is configured now.

        Raises:
            RunbookError: it does not read.
        """
        found = load_config(self._environ, self._explicit)
        self._path = found.path
        return found

    def known(self, name: str) -> str:
        """The target of that name, the default one for an empty name; empty where there is none.

        Raises:
            RunbookError: the configuration does not read.
        """
        found = self.settings(name)
        return "" if found is None else found.name

    def settings(self, name: str) -> TargetSettings | None:
        """What is configured of it.

        Raises:
            RunbookError: the configuration does not read.
        """
        try:
            return choose_target(self.config(), self._environ, self._state, name or None)
        except UsageError:
            return None

    def names(self) -> tuple[str, ...]:
        """Every target.

        Raises:
            RunbookError: the configuration does not read.
        """
        running = sandbox_file(self._state).is_file()
        return tuple(dict.fromkeys([*self.config().targets, *([SANDBOX] if running else [])]))

    def addresses(self, target: str) -> dict[str, str]:
        """Host and port of each node, by its name, as Prometheus labels what it scrapes.

        Raises:
            RunbookError: configuration or inventory do not read.
        """
        settings = self.settings(target)
        return {} if settings is None else {each.name: each.instance for each in read_inventory(settings).nodes}

    def environments(self) -> dict[str, str]:
        """Every target with its environment.

        Raises:
            RunbookError: the configuration does not read.
        """
        found = ((name, self.settings(name)) for name in self.names())
        return {name: "" if each is None else each.environment for name, each in found}

    def words(self) -> list[str]:
        """The options that give a child the same configuration: the same file, also where it does not read just now."""
        with suppress(RunbookError):
            self.config()
        return [] if self._path is None else ["--config", str(self._path.absolute())]
