"""One node: look what is on, turn it off, look again. As often as it takes, and never longer than it may."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from runbook.adapters.brake.line import Line, NoAnswerError
from runbook.errors import RunbookError
from runbook.model.brake import Pulled, PullState
from runbook.model.target import Node

PATH = "/api/v1/admin/features"
CONNECT_SECONDS = 2.0
LOOK_SECONDS = 1.0
PRESS_SECONDS = 5.0
_OK = 200
_NO_SUCH_PATH = frozenset({404, 405, 410, 501})
_NO_TOKEN = frozenset({401, 403})
_FINAL = _NO_SUCH_PATH | _NO_TOKEN | {400, 409, 422}
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Job:
    """What to do to one node.

    `insist` turns off what is off already, too. `token` reads the token at the moment of use. `looked` is told what is
    known by now, `gate` waits until the brake may be pressed, `elapsed` gives milliseconds since the command started.
    """

    node: Node
    flags: Sequence[str]
    insist: bool
    token: Callable[[Node], str]
    looked: Callable[[Pulled], None]
    gate: Callable[[], bool]
    elapsed: Callable[[], float]


def attempt(job: Job, so_far: Pulled) -> Pulled:
    """One try on one connection, or on two where the first look hung; never raises."""
    return replace(_outcome(job, so_far), tries=so_far.tries + 1)


def _outcome(job: Job, so_far: Pulled) -> Pulled:
    try:
        return _attempt(job, job.token(job.node), so_far)
    except _RefusedError as error:
        return replace(error.pulled, state=PullState.REFUSED, message=str(error))
    except _TroubleError as error:
        return replace(error.pulled, message=str(error))
    except RunbookError as error:  # the token: nothing was sent
        return replace(so_far, state=PullState.REFUSED, message=error.message)


class _TroubleError(Exception):
    def __init__(self, pulled: Pulled, reason: str) -> None:
        super().__init__(reason)
        self.pulled = pulled


class _RefusedError(_TroubleError):
    pass


def _attempt(job: Job, token: str, pulled: Pulled) -> Pulled:
    line = Line(urlsplit(job.node.url), CONNECT_SECONDS)
    try:
        if pulled.old is None and not pulled.touched:
            pulled = _look(job, line, token, pulled)
            job.looked(pulled)
        if not job.insist and pulled.old is not None and not any(pulled.old.values()):
            return _verified(job, pulled)
        if not job.gate():
            raise _TroubleError(pulled, "not sent: the command was interrupted before")
        pulled = _press(job, line, token, pulled)
        return _check(job, line, token, pulled)
    finally:
        line.close()


def _look(job: Job, line: Line, token: str, pulled: Pulled) -> Pulled:
    """What is on now. Where the node does not tell, it is pressed all the same, unless there is no way to it at all."""
    try:
        status, body = line.ask("GET", PATH, token, None, LOOK_SECONDS)
        return replace(pulled, old=_flags(job, body) if status == _OK else None)
    except NoAnswerError as error:
        if not error.sent:
            raise _TroubleError(pulled, str(error)) from None
        return replace(pulled, message=str(error))
    except ValueError as error:
        return replace(pulled, message=str(error))


def _press(job: Job, line: Line, token: str, pulled: Pulled) -> Pulled:
    flags = job.flags if pulled.old is None else [key for key in job.flags if key in pulled.old]
    if not flags:
        raise _RefusedError(pulled, "not supported by this node: it has none of the flags")
    # Told before: whoever is interrupted from here on must not take this node for one that nothing was sent to.
    job.looked(replace(pulled, state=PullState.SENT, message="sent, and not answered; it may have taken effect"))
    try:
        status, body = line.ask("POST", PATH, token, json.dumps(dict.fromkeys(flags, False)).encode(), PRESS_SECONDS)
    except NoAnswerError as error:
        sent = replace(pulled, state=PullState.SENT if error.sent else pulled.state)
        raise _TroubleError(sent, f"{error}; it may have taken effect" if error.sent else str(error)) from None
    if status in _FINAL:
        raise _RefusedError(pulled, _said(status, body))
    if status != _OK:
        raise _TroubleError(pulled, _said(status, body))
    return replace(pulled, state=PullState.OFF, off_ms=pulled.off_ms or job.elapsed(), message="")


def _check(job: Job, line: Line, token: str, pulled: Pulled) -> Pulled:
    try:
        status, body = line.ask("GET", PATH, token, None, PRESS_SECONDS)
        if status != _OK:
            raise _TroubleError(pulled, f"taken, but not read back: {_said(status, body)}")
        now = _flags(job, body)
    except NoAnswerError as error:
        raise _TroubleError(pulled, f"taken, but not read back: {error}") from None
    except ValueError as error:
        raise _TroubleError(pulled, f"taken, but not read back: {error}") from None
    still = sorted(key for key, value in now.items() if value)
    if still:
        raise _TroubleError(replace(pulled, off_ms=None), f"it accepted, but {', '.join(still)} is read back as on")
    silent = [key for key in pulled.old or {} if key not in now]
    if silent or not now:
        missing = ", ".join(silent) or "any of the flags"
        raise _TroubleError(pulled, f"taken, but not read back: the answer does not name {missing}")
    return _verified(job, pulled)


def _verified(job: Job, pulled: Pulled) -> Pulled:
    now = job.elapsed()
    off = pulled.off_ms if pulled.off_ms is not None else now
    return replace(pulled, state=PullState.VERIFIED, off_ms=off, verified_ms=now, message="")


def _flags(job: Job, body: bytes) -> dict[str, bool]:
    """The flags that the node tells of.

    Raises:
        ValueError: it is no document of flags; the message is for people.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # the second: nested thousands deep
        kind = "HTML" if body.lstrip()[:1] == b"<" else "something else" if body.strip() else "nothing"
        raise ValueError(f"answered with {kind} instead of JSON") from None
    if not isinstance(document, dict):
        raise ValueError("answered with JSON that is no object")  # noqa: TRY004 - the caller asks one question only
    found = {key: document[key] for key in job.flags if key in document}
    odd = next((key for key, value in found.items() if not isinstance(value, bool)), None)
    if odd is not None:
        raise ValueError(f"{odd} is read back as something that is neither on nor off")
    return found


def _said(status: int, body: bytes) -> str:
    """The status and the node's own words, as far as they can be printed."""
    try:
        words = str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        words = ""
    clean = "".join(each if each.isprintable() else " " for each in words)[:_SHOWN_CHARACTERS]
    what = "not supported by this node: " if status in _NO_SUCH_PATH else ""
    what = "the node refused the token: " if status in _NO_TOKEN else what
    return f"{what}HTTP {status}{': ' * bool(clean)}{clean}"
