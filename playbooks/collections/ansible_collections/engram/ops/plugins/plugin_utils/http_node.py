"""One node over HTTP, asked from the controller: with its token, with patience, and understood or refused."""

import ipaddress
import json
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ansible_collections.engram.ops.plugins.plugin_utils.exchange import LARGEST_ANSWER, Answer, exchange
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

TRIES = 3
LONGEST_WAIT_SECONDS = 5.0
BUSY = {429, 502, 503, 504}


class HttpNode:
    """Asks one node.

    Args:
        url: the node's address, http or https, without user and password.
        token: the bearer token, or the empty text where the node asks for none.
        allow_plain_http: may the token go over plain http to another machine?
    """

    def __init__(self, url: str, token: str, *, allow_plain_http: bool = False) -> None:
        self._url = _address(url)
        self._token = token
        self.retries: list[str] = []
        if token and self._url.scheme == "http" and not allow_plain_http and not _is_loopback(self._url.hostname or ""):
            what = f"the token is not sent over plain http to {self._url.hostname}"
            raise WayError(f"{what}: use https, or say engram_allow_plain_http: true for this host", "usage")

    def ask(self, method: str, path: str, body: bytes | None = None) -> Mapping[str, Any]:
        """The JSON object that the node answers; only for what may be asked twice.

        Raises:
            UnreachableNodeError: it did not answer, or only in part.
            WayError: it answered something else.
        """
        for turn in range(1, TRIES + 1):
            answer = exchange(self._url, method, path, self._token, body)
            wait = _wait(answer, turn)
            if wait is None:
                break
            self.retries.append(f"{method} was answered {answer.status}, waited {wait:.1f} s")
            time.sleep(wait)
        return self._understood(answer, f"{method} {path}")

    def look(self, path: str) -> Answer:
        """The answer to one GET without the token, whatever it is.

        Raises:
            UnreachableNodeError: it did not answer, or only in part.
        """
        return exchange(self._url, "GET", path, "", None)

    def _understood(self, answer: Answer, asked: str) -> Mapping[str, Any]:
        said = self._said(answer)
        match answer.status:
            case 200:
                return self._document(answer)
            case 401 | 403:
                what = f"the node refused the token ({answer.status}): is engram_token_file the one of this node?"
                raise WayError(what, "refused")
            case 404 | 405 | 501:
                what = f"not supported by this node: {asked} was answered {answer.status}{said}"
                raise WayError(what, "not_supported")
            case 400 | 409 | 422:
                raise WayError(f"the node refused the value ({answer.status}){said}", "refused")
            case status if status in BUSY:
                raise WayError(f"the node is busy ({status}){said}; it asks for {answer.retry_after or 'no'} s")
            case status:
                raise WayError(f"{asked} was answered {status}{said}")

    def _document(self, answer: Answer) -> Mapping[str, Any]:
        if len(answer.body) >= LARGEST_ANSWER:
            raise WayError(f"the node answered with {LARGEST_ANSWER >> 20} MiB or more, and was cut off")
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):  # the second: nested thousands deep
            document = None
        if not isinstance(document, dict):
            kind = answer.content_type or "something"
            raise WayError(f"the node answered {kind} instead of a JSON object: is {self._url.geturl()} its address?")
        return document

    def _said(self, answer: Answer) -> str:
        """The node's own words, without the token should it repeat it."""
        try:
            error = json.loads(answer.body)["error"]
            words = f": {error['message']} {error.get('hint') or ''}".rstrip()
        except (ValueError, LookupError, TypeError, RecursionError):
            return ""
        return words.replace(self._token, "********")[:500] if self._token else words[:500]


def token_from(path: Path) -> str:
    """The token in that file, read at the moment of use."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not ASCII text"
        raise WayError(f"the token file {path} cannot be read: {why}", "usage") from None
    if not token or not token.isprintable() or " " in token:
        raise WayError(f"the token file {path} does not hold one token", "usage")
    return token


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise WayError(f"engram_url {url!r} is not an http or https address", "usage")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise WayError("engram_url must not hold a user, a password or a query", "usage")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait(answer: Answer, turn: int) -> float | None:
    """Seconds to wait before the next try, or None where another one makes no sense. Capped and jittered."""
    if answer.status not in BUSY or turn == TRIES:
        return None
    asked = answer.retry_after
    if asked is not None and asked > LONGEST_WAIT_SECONDS:
        return None
    least = 0.2 * 2**turn if asked is None else asked
    return least + random.SystemRandom().uniform(0, 0.25)  # the system's, since forked workers share a seed
