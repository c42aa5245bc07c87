"""`POST /api/v1/alerts`: Alertmanager's webhook, payload version 4. It answers once the journal has what was sent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from runbook.adapters.alerts import Payload, payload_in
from runbook.errors import DamagedError, NotSupportedError, RunbookError
from runbook.ports import Clock
from runbook.serve.webhook.credential import Credential
from runbook.serve.webhook.intake import BusyError, Intake
from runbook.serve.webhook.outcomes import Outcome, Outcomes

PATH = "/api/v1/alerts"
LIMIT_BYTES = 1 << 20
MOST_ALERTS = 200
BODY_SECONDS = 10.0
_AGAIN_SECONDS = "10"
_NO_TOKEN = "the webhook takes nothing: [serve] webhook_token_file of runbook.toml names no token"  # noqa: S105 - words


@dataclass(frozen=True, slots=True)
class Webhook:
    """What the endpoint works with; without a credential it refuses everything."""

    credential: Credential | None
    intake: Intake
    outcomes: Outcomes
    clock: Clock
    say: Callable[[str], None]


class RefusedRequestError(Exception):
    """The request is refused: its outcome, the status, and words for whoever sent it."""

    def __init__(self, outcome: Outcome, status: int, told: str) -> None:
        super().__init__(told)
        self.outcome = outcome
        self.status = status
        self.told = told


def routes(webhook: Webhook) -> list[BaseRoute]:
    """The one route."""

    async def receive(request: Request) -> Response:
        try:
            new, left_out = await _received(webhook, request)
        except RefusedRequestError as refusal:
            webhook.outcomes.note(refusal.outcome, webhook.clock.monotonic(), refusal.told)
            return _refusal(refusal)
        except ClientDisconnect:
            webhook.outcomes.note(Outcome.TOO_SLOW, webhook.clock.monotonic(), "hung up before the end of the body")
            return Response(status_code=400)
        outcome, told = (Outcome.CUT_SHORT, _left_out(left_out)) if left_out > 0 else (Outcome.ACCEPTED, "")
        webhook.outcomes.note(outcome, webhook.clock.monotonic(), told)
        return JSONResponse({"taken": new})

    return [Route(PATH, receive, methods=["POST"])]


async def _received(webhook: Webhook, request: Request) -> tuple[int, int]:
    """How many were new, and how many Alertmanager left out."""
    _let_in(webhook, request)
    payload = _parsed(await _body(request))
    try:
        new = await webhook.intake.take(payload.alerts)
    except BusyError as busy:
        outcome = Outcome.NOT_READY if webhook.intake.not_ready else Outcome.FLOOD
        raise RefusedRequestError(outcome, 503, str(busy)) from None
    except RunbookError as error:
        webhook.say(f"alerts could not be journaled, and Alertmanager was asked to send them again: {error.message}")
        raise RefusedRequestError(Outcome.NOT_JOURNALED, 503, "the alerts could not be journaled") from None
    if payload.left_out > 0:
        webhook.say(_left_out(payload.left_out))
    return new, payload.left_out


def _left_out(count: int) -> str:
    return f"{count} alerts were left out by Alertmanager, and nobody diagnoses them (max_alerts of its receiver)"


def _let_in(webhook: Webhook, request: Request) -> None:
    """Before a byte of the body is read."""
    if webhook.credential is None:
        raise RefusedRequestError(Outcome.UNKNOWN_SENDER, 401, _NO_TOKEN)
    shown = request.headers.getlist("authorization")
    try:
        admitted = webhook.credential.admits(shown[0].encode("latin-1") if len(shown) == 1 else None)
    except RunbookError as error:
        webhook.say(f"the webhook takes nothing: {error.message}")
        raise RefusedRequestError(Outcome.NOT_READY, 503, "the webhook's token file cannot be used") from None
    if not admitted:
        raise RefusedRequestError(Outcome.UNKNOWN_SENDER, 401, "the token is missing or wrong")


async def _body(request: Request) -> bytes:
    too_large = RefusedRequestError(Outcome.TOO_LARGE, 413, f"more than {LIMIT_BYTES} bytes")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > LIMIT_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LIMIT_BYTES:
                    raise too_large
    except TimeoutError:
        told = f"the body took longer than {BODY_SECONDS:g} s"
        raise RefusedRequestError(Outcome.TOO_SLOW, 408, told) from None
    return bytes(body)


def _parsed(raw: bytes) -> Payload:
    try:
        payload = payload_in(raw, "the payload")
    except NotSupportedError as error:
        raise RefusedRequestError(Outcome.WRONG_VERSION, 400, error.message) from None
    except DamagedError as error:
        raise RefusedRequestError(Outcome.MALFORMED, 400, error.message) from None
    if len(payload.alerts) > MOST_ALERTS:
        told = f"{len(payload.alerts)} alerts in one payload, {MOST_ALERTS} are taken (max_alerts of the receiver)"
        raise RefusedRequestError(Outcome.TOO_MANY, 413, told)
    for at, each in enumerate(payload.alerts):
        if not each.starts_at:  # without it a firing is not told from the one before it
            raise RefusedRequestError(Outcome.MALFORMED, 400, f"the payload: alerts[{at}].startsAt is missing")
    return payload


def _refusal(refusal: RefusedRequestError) -> Response:
    headers = {"Connection": "close"}  # the rest of the body is of no interest
    if refusal.status == 401:  # noqa: PLR2004 - the number is the word
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:  # noqa: PLR2004 - same
        headers["Retry-After"] = _AGAIN_SECONDS
    return JSONResponse({"error": refusal.told[:500]}, refusal.status, headers)
