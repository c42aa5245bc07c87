"""Trying again, where that is harmless and may help: capped, jittered, as late as the peer asks, and always said."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from runbook.wire.exchange import NoReplyError

if TYPE_CHECKING:
    from tenacity import RetryCallState

Result = TypeVar("Result")
OnRetry = Callable[[str], None]

_TRIES = 3
_LONGEST_WAIT_SECONDS = 5.0


def quiet(_: str) -> None:
    """Says nothing."""


def patiently(
    peer: str, ask: Callable[[], Result], on_retry: OnRetry, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """What `ask` gives, tried up to three times where its failure says that trying again may help.

    Only for what may be done twice: reads, and writes that are idempotent. Every retry is said to `on_retry`,
    with the peer's name and the reason.

    Raises:
        NoReplyError: the last try's.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt  # noqa: PLC0415  # 43 ms

    def say(state: "RetryCallState") -> None:
        wait = state.next_action.sleep if state.next_action else 0.0
        on_retry(f"{peer}: {_failure(state)}; try {state.attempt_number + 1} of {_TRIES} in {wait:.1f} s")

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, NoReplyError) and error.again),
        stop=stop_after_attempt(_TRIES),
        wait=_wait,
        sleep=sleep,
        before_sleep=say,
        reraise=True,
    )
    return retrying(ask)


def _failure(state: "RetryCallState") -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


def _wait(state: "RetryCallState") -> float:
    from tenacity import wait_exponential, wait_random  # noqa: PLC0415  # loaded by now

    jittered = wait_exponential(multiplier=0.1, max=1.0)(state) + wait_random(0.0, 0.2)(state)
    failure = _failure(state)
    asked = failure.after if isinstance(failure, NoReplyError) and failure.after is not None else 0.0
    return min(max(jittered, asked), _LONGEST_WAIT_SECONDS)
