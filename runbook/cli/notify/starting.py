"""Start the telling beside a command that has journaled something: never waited for, and never in its way.

Light, since the emergency brake comes by here: what is heavy is imported once there is somebody to tell.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.engine.notify.worth import starts
from runbook.model.journal import Event

if TYPE_CHECKING:
    from subprocess import Popen

_KEPT = frozenset(
    {"PATH", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LANG", "LC_ALL", "TZ", "SUDO_USER", "LOGNAME"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "RUNBOOK_STATE", "RUNBOOK_CONFIG"}
)
"""What the child gets of the environment; a token of somebody else's is not its business."""


class Telling:
    """Starts `runbook notify deliver` for the entries of one process. Nothing here raises, and nothing waits.

    A rehearsal tells nobody.
    """

    def __init__(self, state: Path, config: Path | None = None, *, rehearsal: bool = False) -> None:
        self.state = state
        self._rehearsal = rehearsal
        self.config = config
        self._first = 0
        self._children: list[Popen[bytes]] = []

    def heard(self, event: Event, details: Mapping[str, Any], seq: int, *, brake: bool = False) -> None:
        """An entry was journaled, with that number (0: it waits in the second place); is there somebody to tell?"""
        self._first = self._first or seq
        if self._rehearsal or not starts(event, details, brake=brake):
            return
        first, self._first = self._first, 0
        try:
            self._start(first)
        except Exception as error:  # noqa: BLE001 - whatever it is, the command that is being carried out goes on
            print(f"notifications were not started: {error}", file=sys.stderr)  # noqa: T201 - there is no screen here

    def _start(self, first: int) -> None:
        """A receiver that is new begins with entry `first`: the first one since the last start."""
        from subprocess import DEVNULL, Popen  # noqa: PLC0415 - see above

        from runbook.config.document import file_with_receivers  # noqa: PLC0415 - see above

        path = file_with_receivers(os.environ, self.config)
        if path is None:
            return
        self._children = [child for child in self._children if child.poll() is None]
        config = os.path.abspath(path)  # noqa: PTH100 - a link to the file keeps its own neighbours
        command = [sys.executable, "-P", "-m", "runbook", "notify", "deliver", "--quiet", "--config", config]
        child = Popen(  # noqa: S603 - this very interpreter, and a path
            [*command, "--since", str(first)] if first else command,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name in _KEPT}
            | {"RUNBOOK_STATE": str(self.state.absolute())},
            start_new_session=True,  # Ctrl-C and a closed terminal are not for it
        )
        self._children.append(child)
