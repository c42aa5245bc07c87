"""What acting on a rollout is given: ports, the brake, the shelf of the evidence; and what acting comes to."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollout.state import rollouts_of
from runbook.errors import DamagedError, ExitCode
from runbook.model.journal import Entry
from runbook.model.rollout import Rollout
from runbook.model.target import Target
from runbook.ports import ChangePorts

Pull = Callable[[Wish], Rolled]
"""The very path of `runbook rollback features`: it raises nothing for what nodes, Ansible or the journal do."""
Bundle = Callable[[Rollout, str], None]
"""Write the evidence of the rollout as it stands, and why now; raises what the disk raises."""


def found_in(entries: Iterable[Entry], rollout: str) -> Rollout:
    """The rollout of that id, by those entries.

    Raises:
        DamagedError: they do not tell of it.
    """
    found = rollouts_of(entries).get(rollout)
    if found is None:
        raise DamagedError(f"the journal knows no rollout {rollout}")
    return found


@dataclass(frozen=True, slots=True)
class Crew:
    """Everything that acting on a rollout needs. `new_id` makes ids of runs."""

    ports: ChangePorts
    target: Target
    who: str
    new_id: Callable[[], str]
    pull: Pull
    bundle: Bundle

    def alone(self, rollout: str) -> AbstractContextManager[None]:
        """Only one process enters stages of the target at a time; going back does not wait for it.

        Raises:
            LockedError: another one does.
        """
        return self.ports.locks.hold(f"rollout-{self.target.name}", rollout)

    def entries(self) -> list[Entry]:
        """Every entry, and what waits in the journal's second place.

        Raises:
            DamagedError, StorageError: as the journal raises.
        """
        return [*self.ports.journal.entries(), *self.ports.journal.waiting()]

    def now(self, rollout: str) -> Rollout:
        """The rollout of that id as it stands now.

        Raises:
            DamagedError: the journal does not know it any more.
        """
        return found_in(self.entries(), rollout)

    def say(self, text: str) -> None:
        """Tell the person."""
        self.ports.read.talk.say(text)


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of acting: the rollout as it stands now, the exit code, and one sentence for people.

    `run` is the run that set the values, or the brake's.
    """

    rollout: Rollout
    code: ExitCode
    told: str
    run: str = ""
    rolled: Rolled | None = None
