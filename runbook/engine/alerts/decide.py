"""May an alert act by itself? What the configuration lets it do, what the diagnosis says, what was done before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.model.answer import Answer
from runbook.model.configuration import Automatic
from runbook.model.duration import in_words

STALE = timedelta(minutes=30)
"""An alert that waited longer for its diagnosis acts no more: whoever is on call has begun by now."""


AFTER_A_BRAKE = timedelta(hours=1)
"""So long after the emergency brake nothing acts by itself: whoever pulled it, or is called by it, is at work."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A firing of the alerts that were diagnosed together: what it means, when it was taken, whether it is over."""

    issue: str
    at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What goes on: when runs began by themselves within 24 hours; the rollout that is under way, empty for none.

    `braked` is when the flags were last turned off by the emergency brake, or a rollout was taken back; `unknown` says
    why all this cannot be told.
    """

    began: Sequence[datetime] = ()
    rollout: str = ""
    braked: datetime | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`issue` is the incident whose steps are taken, empty where none is; `why` says why."""

    issue: str
    why: str


def decide(
    automatic: Automatic,
    present: Mapping[str, Answer],
    causes: Sequence[Cause],
    before: Before,
    now: datetime,
) -> Decision:
    """The first incident, in the order of the diagnosis, that is allowed, PRESENT, and meant by an alert that fires.

    While a rollout is under way nothing is done: its watch decides, and what it set is not changed under it. Nor is it
    shortly after the emergency brake, or where the journal does not say what goes on.
    """
    there = [slug for slug, answer in present.items() if answer is Answer.YES]
    allowed = [slug for slug in there if slug in automatic.issues]
    meant = [each for each in causes if each.issue in allowed]
    firing = [each for each in meant if not each.ended]
    fresh = [each for each in firing if now - each.at <= STALE]
    often, braked = _too_often(automatic, before.began, now), _just_braked(before.braked, now)
    rollout = f"the rollout {before.rollout} is under way: its watch decides"
    reasons = (
        (not automatic.issues, "nothing is automatic on this target"),
        (not there, "the diagnosis does not say that anything is present"),
        (not allowed, f"{', '.join(there)}: not among the issues of [targets.NAME.automatic]"),
        (not meant, f"no alert means {' or '.join(allowed)}"),
        (not firing, "the alert was resolved meanwhile"),
        (not fresh, f"the alert was taken more than {in_words(STALE)} ago"),
        (bool(before.unknown), f"what goes on is not known: {before.unknown}"),
        (bool(before.rollout), rollout),
        (bool(braked), braked),
        (bool(often), often),
    )
    for applies, why in reasons:
        if applies:
            return Decision("", why)
    issue = next(slug for slug in allowed if any(each.issue == slug for each in fresh))
    return Decision(issue, f"{issue} is present, an alert means it, and [targets.NAME.automatic] allows it")


def _just_braked(at: datetime | None, now: datetime) -> str:
    if at is None or now >= at + AFTER_A_BRAKE:
        return ""
    return f"the emergency brake was pulled at {at:%H:%M:%S} UTC, less than {in_words(AFTER_A_BRAKE)} ago"


def _too_often(automatic: Automatic, began: Sequence[datetime], now: datetime) -> str:
    if len(began) >= automatic.most_per_day:
        return f"{len(began)} runs began by themselves within 24 hours, most_per_day is {automatic.most_per_day}"
    if began and now < (over := max(began) + automatic.cool_down):
        return f"the last one began at {max(began):%H:%M:%S} UTC, cool_down ends at {over:%H:%M:%S}"
    return ""
