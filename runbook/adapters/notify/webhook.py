"""A receiver over HTTP: one POST for each message. What it says of itself never holds its URL, nor any secret."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runbook.errors import RunbookError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import Later, Message, Outcome, Refused, Sent
from runbook.wire import NoReplyError, Wire
from runbook.wire.token import is_private, secret

_ANSWER_BYTES = 64 << 10
_BODY_BYTES = 256 << 10
_AGAIN = frozenset({408, 425, 429})
_URL = re.compile(r"https?://[!-~]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
REDACTED = "[redacted]"

Render = Callable[[Message, str], bytes]
"""The body of a message, with the receiver's key put in; raises `RunbookError` where the template gives none."""


@dataclass(slots=True)
class Webhook:
    """`Receiver` by a `[notify.NAME]`. Its files are read at every try, so that a new secret counts at once."""

    settings: ReceiverSettings
    render: Render
    _wire: Wire = field(default_factory=lambda: Wire(limit_bytes=_ANSWER_BYTES))

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self.settings.name

    def wants(self, message: Message) -> bool:
        """Did it ask for such messages? One whose target is not known is for everybody."""
        targets = self.settings.targets
        mine = not targets or not message.target or message.target in targets
        return mine and not message.kinds.isdisjoint(self.settings.events)

    def hindrance(self, message: Message) -> str:
        """What keeps that message from being sent at all, in words: a file, the template, the address; else nothing."""
        try:
            self._prepared(message)
        except RunbookError as error:
            return error.message
        return ""

    def send(self, message: Message) -> Outcome:
        """Try once. Redirects are not followed, certificates are verified, no proxy is used."""
        try:
            url, headers, key, body = self._prepared(message)
        except RunbookError as error:  # whoever mends it within the hour is told still
            return Later(error.message)
        if len(body) > _BODY_BYTES:
            return Refused(f"its body has {len(body)} bytes, more than {_BODY_BYTES}")
        secrets = [url, urlsplit(url).path, key, *headers.values()]
        try:
            reply = self._wire.exchange("POST", url, headers=headers, body=body)
        except NoReplyError as error:
            return Later(_without(error.message, secrets))
        return _judged(reply.status, reply.headers)

    def _prepared(self, message: Message) -> tuple[str, dict[str, str], str, bytes]:
        url, headers, key = self._url(), self._headers(message), self._key()
        return url, headers, key, self.render(message, key)

    def _url(self) -> str:
        settings = self.settings
        url = settings.url if settings.url_file is None else secret(settings.url_file, "url_file")
        if not _is_url(url):
            raise NoReplyError("not asked: its URL is none, or not one of http or https")
        if not settings.allow_plain_http and not is_private(url):
            raise NoReplyError(
                "not asked: its URL is plain http to another machine (allow_plain_http = true allows it)"
            )
        return url

    def _headers(self, message: Message) -> dict[str, str]:
        settings = self.settings
        headers = {"Content-Type": "application/json", "User-Agent": "engram-runbook"}
        headers["Idempotency-Key"] = f"{message.where}-{message.seq}".encode("ascii", "replace").decode()
        if settings.token_file is not None:
            headers["Authorization"] = f"Bearer {secret(settings.token_file, 'token_file')}"
        for name, path in settings.header_files.items():
            if not _HEADER.fullmatch(name):
                raise NoReplyError(f"not asked: {name!r} cannot be the name of a header")
            headers[name] = secret(path, f"file of the header {name}", words=True)
        return headers

    def _key(self) -> str:
        return "" if self.settings.key_file is None else secret(self.settings.key_file, "key_file")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return _URL.fullmatch(url) is not None and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _judged(status: int, headers: Mapping[str, str]) -> Outcome:
    if 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls success
        return Sent(status)
    if status in _AGAIN or status >= 500:  # noqa: PLR2004 - what HTTP calls the server's fault
        return Later(f"answered {status}", _retry_after(headers))
    if 300 <= status < 400:  # noqa: PLR2004 - what HTTP calls a redirect
        return Refused(f"answered {status}, a redirect, which is not followed")
    return Refused(f"answered {status}")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004 - 300 years


def _without(text: str, secrets: list[str]) -> str:
    for each in sorted(filter(lambda word: len(word) > 1, secrets), key=len, reverse=True):
        text = text.replace(each, REDACTED)
    return text
