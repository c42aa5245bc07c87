"""What has to be remembered of earlier entries, so that a later one can be told in words. Pure, and small on a disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from runbook.model.journal import Entry, Event
from runbook.model.run import ROLLBACK, ROLLOUT, WAY_BACK

MOST = 200
"""So many runs are remembered, the newest ones; an entry of an older one is told without its target."""

MOST_TITLES = 20
"""So many different troubles of one subject."""


@dataclass(frozen=True, slots=True)
class About:
    """A run or a rollout: whose it is. `subject` is the rollout, where the run takes one back; else itself."""

    target: str = ""
    command: str = ""
    issue: str = ""
    subject: str = ""

    @property
    def is_brake(self) -> bool:
        """Does it turn flags off, or a share to nothing?"""
        return self.issue in {ROLLBACK, WAY_BACK}

    @property
    def is_entering(self) -> bool:
        """Does it enter a stage of a rollout? The rollout's own entries tell how that went."""
        return self.issue == ROLLOUT


@dataclass(slots=True)
class Memory:
    """Runs and rollouts by id; what was told of subjects in trouble; the last recommendation for each target."""

    runs: dict[str, About] = field(default_factory=dict)
    troubled: dict[str, list[str]] = field(default_factory=dict)
    advised: dict[str, str] = field(default_factory=dict)

    def about(self, run: str) -> About:
        """What is known of it; for one that is not, only its own id."""
        return self.runs.get(run, About(subject=run))

    def learn(self, entry: Entry) -> None:
        """Take in an entry, before it is told."""
        details = entry.details
        match entry.event:
            case Event.RUN_STARTED | Event.APPROVAL_ASKED | Event.MIGRATION_STARTED:
                self._keep(entry.run, self._of_plan(entry.run, _mapping(details.get("plan"))))
            case Event.ROLLOUT_STARTED:
                self._keep(entry.run, About(_text(details.get("target")), "rollout", subject=entry.run))
            case Event.ROLLOUT_REVERTING:
                run = _text(details.get("run"))
                self._keep(run, About(self.about(entry.run).target, subject=entry.run))
            case _:
                pass

    def _of_plan(self, run: str, plan: Mapping[str, Any]) -> About:
        target, command, issue = (_text(plan.get(name)) for name in ("target", "command", "issue"))
        return About(target, command, issue, self._subject(run, target, issue))

    def _subject(self, run: str, target: str, issue: str) -> str:
        """A run that takes a rollout back is the rollout's own: it is known by its id, or follows it on its target."""
        known = self.runs.get(run)
        if known is not None and known.subject:
            return known.subject
        brakes = (
            each.subject for each in reversed(self.runs.values()) if (each.target, each.issue) == (target, ROLLBACK)
        )
        return next(brakes, run) if issue == WAY_BACK else run

    def _keep(self, run: str, about: About) -> None:
        self.runs.pop(run, None)
        self.runs[run] = about
        _shorten(self.runs)

    def is_news(self, subject: str, title: str, *, trouble: bool) -> bool:
        """Is it worth telling? The same trouble is not twice; the end of a trouble is only where there was one."""
        before = self.troubled.pop(subject, [])
        if trouble:
            self.troubled[subject] = [*before, title][-MOST_TITLES:] if title not in before else before
            _shorten(self.troubled)
            return title not in before
        return bool(before)

    def advise(self, target: str, recommendation: str) -> str:
        """Take down the recommendation; the one before it, empty where there was none."""
        before = self.advised.pop(target, "")
        self.advised[target] = recommendation
        _shorten(self.advised)
        return before

    def document(self) -> dict[str, object]:
        """As JSON; `remembered` reads it."""
        runs = {run: [each.target, each.command, each.issue, each.subject] for run, each in self.runs.items()}
        return {"runs": runs, "troubled": dict(self.troubled), "advised": dict(self.advised)}


def remembered(document: Mapping[str, Any]) -> Memory:
    """The memory in the document; raises `TypeError`, `KeyError` or `ValueError` where it is none."""
    if not document:
        return Memory()
    runs = {str(run): About(*(str(word) for word in words)) for run, words in document["runs"].items()}
    advised = {str(target): str(word) for target, word in document["advised"].items()}
    troubled = {str(subject): [str(title) for title in titles] for subject, titles in document["troubled"].items()}
    return Memory(runs, troubled, advised)


def _shorten(kept: dict[str, Any]) -> None:
    for key in list(islice(kept, max(len(kept) - MOST, 0))):
        del kept[key]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
