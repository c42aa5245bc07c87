"""The port `Plays`: one play at a time, with everything that it leaves behind cleared away."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from runbook.adapters.ansible import orphans, variables
from runbook.adapters.ansible.environment import HINT, find_ansible
from runbook.adapters.ansible.events import Gathering
from runbook.adapters.ansible.folder import private_folder, remove_leftovers
from runbook.adapters.ansible.runner import play
from runbook.errors import ExitCode, InterruptedRunError, NotSupportedError, StorageError, UsageError
from runbook.material import playbook
from runbook.model.play import (
    Collected,
    CollectRequest,
    HostResult,
    PlayRequest,
    PlayResult,
    TogetherRequest,
    WorkRequest,
    WorkResult,
)


@dataclass(frozen=True, slots=True)
class AnsiblePlays:
    """The port `Plays` on a fleet.

    Args:
        inventory: Ansible's inventory, a file or a folder; what each host needs stands in docs/reference/playbooks.md.
        access: what the target itself says of that, for hosts whose inventory does not.
        cancelled: the exit code of a signal that came, asked while a play runs, since Python can lose the exception
            of a signal.
    """

    inventory: Path
    access: variables.Access = field(default_factory=variables.Access)
    cancelled: Callable[[], ExitCode | None] = lambda: None

    def ready(self) -> None:
        """Look whether plays can be run at all; cheap, and nothing is touched.

        Raises:
            UsageError: the inventory cannot be read.
            NotSupportedError: Ansible is missing.
        """
        self._readable_inventory()
        find_ansible()
        if find_spec("ansible_runner") is None:
            raise NotSupportedError("ansible-runner is not installed", hint=HINT)

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        """Run one playbook; every requested host is in the result, and no process or file of the play is left.

        Raises:
            UsageError: the inventory cannot be read, or does not have one of the hosts; nothing was touched.
            NotSupportedError: Ansible or the playbook is missing or broken; nothing was touched.
            StorageError: there is no room for Ansible to work in; nothing was touched.
            InterruptedRunError: cancelled half-way; read the nodes to learn what took effect.
        """
        begun = time.monotonic()
        if not request.hosts:
            return PlayResult((), 0.0)
        gathering, status = self._carry_out(request, progress)
        return PlayResult(gathering.results(request.hosts, status), time.monotonic() - begun)

    def run_together(
        self, request: TogetherRequest, progress: Callable[[str], None]
    ) -> Mapping[str, tuple[HostResult, ...]]:
        """Run one playbook that sets several settings at once; every requested host is in the result of its settings.

        Raises:
            UsageError, NotSupportedError, StorageError, InterruptedRunError: as `run`.
        """
        if not request.hosts:
            return {}
        gathering, status = self._carry_out(request, progress)
        return {key: gathering.of_setting(key, tuple(hosts), status) for key, hosts in request.values.items()}

    def collect(self, request: CollectRequest, progress: Callable[[str], None]) -> tuple[Collected, ...]:
        """Run one playbook that changes nothing; every requested host once, in their order.

        Raises:
            UsageError, NotSupportedError, StorageError: as `run`.
            InterruptedRunError: cancelled; nothing was changed.
        """
        if not request.hosts:
            return ()
        gathering, status = self._carry_out(request, progress)
        if unseen := gathering.unseen(request.hosts, status):
            raise UsageError(f"not in the inventory: {', '.join(unseen)}", hint=f"the inventory is {self.inventory}")
        return gathering.collected(request.hosts, status)

    def work(self, request: WorkRequest, progress: Callable[[str], None]) -> tuple[WorkResult, ...]:
        """Have each host's own `runbook` work on the data of its node; every requested host once, in their order.

        Raises:
            UsageError, NotSupportedError, StorageError: as `run`.
            InterruptedRunError: cancelled; hosts that had begun go on to their end, or are found unfinished.
        """
        if not request.hosts:
            return ()
        gathering, status = self._carry_out(request, progress)
        results = gathering.worked(request.hosts, status)
        unseen = gathering.unseen(request.hosts, status)
        if unseen and all(each.done for each in results if each.host not in unseen):  # no wave failed before them
            raise UsageError(f"not in the inventory: {', '.join(unseen)}", hint=f"the inventory is {self.inventory}")
        return results

    def _carry_out(self, request: variables.Request, progress: Callable[[str], None]) -> tuple[Gathering, int | None]:
        """One play, to its end or its interruption; what came of it, and Ansible's exit code (None where killed)."""
        variables.check(request)
        orphans.require()
        inventory = self._readable_inventory()
        path = playbook(request.playbook)
        gathering = Gathering(progress, works=isinstance(request, WorkRequest))
        with private_folder(request.mark) as folder:
            try:
                variables.write(request, self.access, folder)
                status = play(request, path, inventory, (folder, gathering), self.cancelled)
                code = self.cancelled()
                if code is not None:
                    raise _interruption(request, code)
            except KeyboardInterrupt as signalled:
                raise _interruption(request, getattr(signalled, "code", ExitCode.INTERRUPTED)) from None
            except OSError as problem:
                status = None  # what is known by then still counts
                if gathering.nothing_begun:
                    hint = "free some space, or set TMPDIR to a folder that can be written; nothing was touched"
                    raise StorageError(f"Ansible cannot work in {folder}: {problem.strerror}", hint=hint) from None
            finally:
                with _undisturbed():
                    orphans.stop(request.mark)
        _refuse_unbegun(gathering, status, inventory)
        return gathering, status

    def stop_orphans(self, mark: str) -> int:
        """End every process of the play with that mark, and wait until they are gone; how many there were.

        Raises:
            PersonNeededError: some would not end.
        """
        with _undisturbed():
            count = orphans.stop(mark)
            remove_leftovers(mark)
        return count

    def end(self, mark: str) -> int:
        """End every process of a play that another process is in the middle of; its folder stays that one's.

        Only this user's, on this machine.

        Raises:
            PersonNeededError: some would not end.
        """
        with _undisturbed():
            return orphans.stop(mark)

    def _readable_inventory(self) -> Path:
        path = self.inventory.absolute()
        try:
            if path.is_dir():
                next(path.iterdir(), None)
            else:
                path.open("rb").close()
        except OSError as problem:
            hint = "name the inventory of the target in runbook.toml"
            raise UsageError(f"the inventory {path} cannot be read: {problem.strerror}", hint=hint) from None
        if "," in str(path):
            raise UsageError(f"Ansible takes {path} for a list of hosts", hint="a path without commas will do")
        return path


def _interruption(request: variables.Request, code: ExitCode) -> InterruptedRunError:
    match request:
        case CollectRequest():
            hint = "it only reads: nothing was changed"
        case WorkRequest():
            hint = "hosts may have gone on, or stand half-way: the same command again goes on from there"
        case _:
            hint = "read the nodes to learn what took effect"
    interruption = InterruptedRunError(f"the play {request.playbook} was interrupted", hint=hint)
    interruption.code = code  # Ctrl-C, or another signal
    return interruption


def _refuse_unbegun(gathering: Gathering, status: int | None, inventory: Path) -> None:
    if gathering.unknown_hosts:
        raise UsageError(gathering.unknown_hosts, hint=f"the inventory is {inventory}")
    if gathering.nothing_begun:
        said = gathering.said or "it said nothing"
        if "inventory" in said or "host pattern" in said:
            raise UsageError(f"Ansible cannot use the inventory {inventory}; nothing was touched", hint=said)
        ended = "was killed" if status is None else f"ended with {status}"
        raise NotSupportedError(f"Ansible {ended} before it began; nothing was touched", hint=said)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C waits until what the first one began is cleaned up."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
