"""The access logs for `runbook abtest report`: counted on the splitters' hosts by a play, or a file that is here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk
from runbook.engine.judging.access import Since, access_report
from runbook.engine.judging.assigned import Regime, regime_of
from runbook.errors import DamagedError, NotSupportedError, StorageError, UsageError
from runbook.model.access import AccessLog, AccessReport
from runbook.model.measurement import Silence
from runbook.model.play import Collected, CollectRequest
from runbook.model.rollout import Rollout
from runbook.model.target import Target
from runbook.ports import Plays

PLAY = "read_access_log"
_USUAL = timedelta(hours=24)
_BUCKET = timedelta(hours=1)
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """How the traffic is split now, at which moment that is; and for a stage, when it was entered and was left.

    All in seconds since 1970. Without a stage nobody knows since when the traffic is split so.
    """

    regime: Regime | None
    now: float
    since: float | None = None
    until: float | None = None
    bucket: timedelta = _BUCKET


def scope_of(rollout: Rollout, now: float) -> Scope:
    """Since the stage was entered, and until the next one was begun with; a little less at both ends.

    Splitters have clocks of their own, and a request that was on its way is answered as before. Who let the rollout go
    in the stage has agreed to what was before: it does not count any more. Nor does a moment that is still to come:
    the clock was set back since, and letting it go begins the count anew.
    """
    if not rollout.entered:
        return Scope(None, now)
    entered, released = rollout.entered[-1].at.timestamp(), rollout.released
    begin = entered if released is None else released.timestamp()
    begin = max(begin, entered) if entered <= now else begin
    end = now if rollout.entering is None else rollout.entering.timestamp()
    margin = min(_MARGIN.total_seconds(), max(end - begin, 0.0) / 10)
    until = None if rollout.entering is None else end - margin
    return Scope(regime_of(rollout), now, begin + margin, until, rollout.plan.bucket)


def read_file(path: Path, scope: Scope) -> AccessReport:
    """A log that is here; without a stage, all of it.

    Raises:
        UsageError: it cannot be read.
    """
    from runbook.adapters.access import count_file  # noqa: PLC0415  # not for those without a splitter

    log = count_file(path, scope.since, scope.until)
    return access_report([log], (), scope.regime, Since(scope.since, scope.bucket.total_seconds()))


def read_splitters(current: Session, target: Target, scope: Scope) -> AccessReport:
    """Those of the splitters; without a stage, the last day. One that cannot be read is told, and hides no other."""
    with ScreenTalk() as talk:
        return counted_by(compose.plays_on(target), target, scope, f"access-{current.new_run_id()}", talk.say)


def counted_by(plays: Plays, target: Target, scope: Scope, mark: str, say: Callable[[str], None]) -> AccessReport:
    """The same by these plays; `mark` is in the environment of every process of the play.

    Raises:
        InterruptedRunError: cancelled; nothing was changed.
    """
    since = scope.now - _USUAL.total_seconds() if scope.since is None else scope.since
    hosts = tuple(each.name for each in target.splitters)
    say(f"reading the access log of {', '.join(hosts)}")  # a long one takes its time
    request = CollectRequest(PLAY, hosts, mark, {"since": since, "before": scope.until or 0.0})
    logs, silent = _understood(_collected(plays, request, say))
    return access_report(logs, silent, scope.regime, Since(since, scope.bucket.total_seconds()))


def _collected(plays: Plays, request: CollectRequest, say: Callable[[str], None]) -> Sequence[Collected]:
    try:
        plays.ready()
        return plays.collect(request, say)
    except (NotSupportedError, UsageError, StorageError) as error:
        return [Collected(host, None, error.message) for host in request.hosts]


def _understood(found: Sequence[Collected]) -> tuple[list[AccessLog], list[Silence]]:
    from runbook.adapters.access import access_log  # noqa: PLC0415  # not for those without a splitter

    logs: list[AccessLog] = []
    silent: list[Silence] = []
    for each in found:
        if each.document is None:
            silent.append(Silence(each.host, each.message))
            continue
        try:
            logs.append(access_log(each.host, each.document))
        except DamagedError as error:
            silent.append(Silence(each.host, error.message))
    return logs, silent
