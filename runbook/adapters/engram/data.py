"""The port `DataNode` over the operations contract: the data of one node as a whole, streamed over HTTP."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http import HTTPStatus
from struct import pack
from typing import Any
from urllib.parse import quote, urlencode

from runbook.adapters.engram.refusals import accepted, answering
from runbook.adapters.engram.token import authorization
from runbook.model.contract import ADMIN
from runbook.model.generation import Generation, Holdings, Remembered, State, Taken
from runbook.model.target import Node
from runbook.wire import NoReplyError, OnRetry, Reply, Streamed, StreamingWire, Wire, patiently, quiet

_SMALL = 60.0
"""Seconds for what a node answers from memory, or counts; it may wait for a long transaction."""
_LARGE = 600.0
"""Seconds for a switch, which reads the new generation, and for the last fsync of an import."""
_JSON = {"Content-Type": "application/json"}
GROUP_HEADER = "X-Engram-Group"
_NONE: Mapping[str, str] = {}


class EngramData:
    """The data of one node that speaks the operations contract.

    Args:
        node: whose data.
        allow_plain_http: may a token go over plain http to another machine? (the target says)
        on_retry: is told of every retry.
        sleep: how to wait before a retry.
        streams: how archives pass.
    """

    def __init__(
        self,
        node: Node,
        *,
        allow_plain_http: bool = False,
        on_retry: OnRetry = quiet,
        sleep: Callable[[float], None] = time.sleep,
        streams: StreamingWire | None = None,
    ) -> None:
        self.name = node.name
        self._node = node
        self._allow = allow_plain_http
        self._on_retry = on_retry
        self._sleep = sleep
        self._small = Wire(read=_SMALL, total=_SMALL)
        self._large = Wire(read=_LARGE, total=_LARGE)
        self._streams = streams or StreamingWire(idle=_LARGE)

    def holdings(self) -> Holdings:
        """Its generations, and its own id."""
        with answering(self.name):
            return _holdings(self._ask("GET", f"{ADMIN}/generations"))

    @contextmanager
    def export(self, kind: str, *, since: int | None = None, generation: str = "") -> Iterator[Iterator[bytes]]:
        """One snapshot as an archive, streamed; a cut raises UnreachableError while it is read."""
        asked = {"format": kind, **({} if since is None else {"since": since})}
        path = f"{ADMIN}/export?{urlencode(asked | ({'generation': generation} if generation else {}))}"
        with ExitStack() as held:
            with answering(self.name):
                streamed = patiently(self.name, lambda: self._opened(held, path), self._on_retry, self._sleep)
            yield self._chunks(streamed)

    def fill(self, chunks: Iterable[bytes]) -> Taken:
        """A whole archive into a new staging generation; when it fails, nothing is left of it."""
        return self._import("", chunks)

    def add(self, generation: str, chunks: Iterable[bytes]) -> Taken:
        """Residue, or what changed since, into the staging generation, or the kept one; all of it or nothing."""
        return self._import(f"?generation={quote(generation, safe='')}", chunks)

    def activate(self, generation: str, if_sequence: int) -> int:
        """Serve that generation, in one step; the sequence number from which it goes on."""
        path = f"{ADMIN}/generations/{quote(generation, safe='')}/activate"
        with answering(self.name):
            reply = self._ask("POST", path, {"if_sequence": if_sequence}, self._large, twice=False)
            return _whole_number(reply, "sequence")

    def drop(self, generation: str) -> None:
        """Let go of a generation that is not served."""
        with answering(self.name):
            path = f"{ADMIN}/generations/{quote(generation, safe='')}"
            self._ask("DELETE", path, wire=self._large, twice=False)

    def freeze(self, ttl: timedelta) -> int:
        """Have the node refuse writes for so long; at which sequence number it stands."""
        with answering(self.name):
            asked = {"frozen": True, "ttl_seconds": ttl.total_seconds()}
            return _whole_number(self._ask("POST", f"{ADMIN}/writes", asked), "sequence")

    def unfreeze(self) -> None:
        """Have it take writes again."""
        with answering(self.name):
            self._ask("POST", f"{ADMIN}/writes", {"frozen": False})

    def recall(self, space: str, embedding: Sequence[float], count: int, group: str = "") -> tuple[Remembered, ...]:
        """What comes to mind, best first; nothing of the node changes. `group` is named as a splitter names it."""
        cue = b64encode(pack(f"<{len(embedding)}f", *embedding)).decode("ascii")
        asked = urlencode({"space": space, "observe": "false", "max_results": count, "embedding": cue})
        with answering(self.name):
            named = {GROUP_HEADER: group} if group else {}
            return _remembered(self._ask("GET", f"/api/v1/memories/recall?{asked}", headers=named))

    def _ask(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        wire: Wire | None = None,
        *,
        twice: bool = True,
        headers: Mapping[str, str] = _NONE,
    ) -> Reply:
        """One small request; what must not be done `twice` is asked again only where the node says it did nothing."""
        import orjson  # noqa: PLC0415  # only those who talk to a peer pay for it

        body = None if document is None else orjson.dumps(document)

        def ask() -> Reply:
            try:
                url = self._node.url + path
                every = {**self._headers(), **headers}
                return accepted(self.name, (wire or self._small).exchange(method, url, headers=every, body=body))
            except NoReplyError as error:
                error.again &= twice or error.status == HTTPStatus.SERVICE_UNAVAILABLE
                raise

        return patiently(self.name, ask, self._on_retry, self._sleep)

    def _headers(self) -> dict[str, str]:
        return _JSON | authorization(self._node, allow_plain_http=self._allow)

    def _opened(self, held: ExitStack, path: str) -> Streamed:
        with ExitStack() as tried:
            exchange = self._streams.exchange("GET", self._node.url + path, headers=self._headers())
            streamed = tried.enter_context(exchange)
            if streamed.status != HTTPStatus.OK:
                accepted(self.name, streamed.reply())
            held.push(tried.pop_all())
        return streamed

    def _chunks(self, streamed: Streamed) -> Iterator[bytes]:
        with answering(self.name):
            yield from streamed.chunks()

    def _import(self, query: str, chunks: Iterable[bytes]) -> Taken:
        url = f"{self._node.url}{ADMIN}/import{query}"
        with (
            answering(self.name),
            self._streams.exchange("POST", url, headers=self._headers(), body=chunks) as streamed,
        ):
            return _taken(accepted(self.name, streamed.reply()))


def _holdings(reply: Reply) -> Holdings:
    document = reply.json()
    try:
        found = [
            Generation(
                str(each["id"]), State(each["state"]), str(each["kind"]), int(each["sequence"]), dict(each["counts"])
            )
            for each in document["generations"]
        ]
        found.sort(key=lambda each: each.state is not State.ACTIVE)
        if found[0].state is State.ACTIVE:
            return Holdings(str(document["node"]), tuple(found))
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    raise NoReplyError("answered with something that is no list of generations")


def _taken(reply: Reply) -> Taken:
    document = reply.json()
    try:
        named = {name: str(document[name]) for name in ("generation", "kind", "took", "sha256")}
        return Taken(**named, counts={str(name): int(count) for name, count in document["counts"].items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoReplyError("answered with something that does not say what was taken in") from None


def _remembered(reply: Reply) -> tuple[Remembered, ...]:
    document = reply.json()
    try:
        return tuple(Remembered(str(each["id"]), float(each["confidence"])) for each in document["memories"])
    except (KeyError, TypeError, ValueError):
        raise NoReplyError("answered with something that is no recall") from None


def _whole_number(reply: Reply, name: str) -> int:
    document = reply.json()
    found = document.get(name) if isinstance(document, dict) else None
    if type(found) is not int:
        raise NoReplyError(f"answered without {name}")
    return found
