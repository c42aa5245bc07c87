"""Requests, strictly read; and every refusal in one shape: `{"error": {"code", "message", "hint"}}`."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

LARGEST_BODY = 1 << 20


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the node
    """The request is answered with an error."""

    def __init__(self, status: int, code: str, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message, "hint": hint, **details}}


def invalid(message: str, hint: str = "") -> Refusal:
    """422: understood, and not allowed."""
    return Refusal(422, "INVALID", message, hint)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers=dict(headers or {}), media_type="application/json")


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of the request; no body at all is an empty one.

    Raises:
        Refusal: too large (413), not JSON (400), or not an object (422).
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise Refusal(413, "TOO_LARGE", f"the body is larger than {LARGEST_BODY} bytes")
    if not raw:
        return {}
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "MALFORMED", f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise invalid("the body is not a JSON object")
    return document


def only(document: Mapping[str, Any], *allowed: str) -> None:
    """Refuse fields that nobody would read: a typo must not pass as a default."""
    for name in document:
        if name not in allowed:
            raise invalid(f"unknown field {name!r}", f"known: {', '.join(allowed)}")


def text(document: Mapping[str, Any], name: str, default: str | None = None, *, longest: int = 256) -> str:
    """A text field that is not blank."""
    value = document.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} must be a text that is not blank")
    if len(value.encode("utf-8", "surrogatepass")) > longest:
        raise invalid(f"{name} is longer than {longest} bytes")
    return value


def number(document: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number field within its range."""
    value = document.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid(f"{name} must be a number from {low:g} to {high:g}")
    return float(value)


def queried_number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """A number in the query string within its range."""
    raw = request.query_params.get(name)
    try:
        value = default if raw is None else float(raw)
    except ValueError:
        raise invalid(f"{name} must be a number, not {raw!r}") from None
    if not low <= value <= high:
        raise invalid(f"{name} must be from {low:g} to {high:g}")
    return value


def queried_flag(request: Request, name: str, *, default: bool) -> bool:
    """`true` or `false` in the query string."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if raw not in {"true", "false"}:
        raise invalid(f"{name} must be true or false, not {raw!r}")
    return raw == "true"
