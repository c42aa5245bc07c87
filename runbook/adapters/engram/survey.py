"""What each server is and can do, found out by asking. Nothing here changes anything on any kind of server.

A request that names an unknown space makes it on upstream Engram 0.1, gigabytes of it: so no request names one that
the server did not list itself. `GET /api/v1/consolidations` can end such a server: it is never asked for.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from runbook.adapters.engram.client import Client
from runbook.model.answer import Answer
from runbook.model.capabilities import Ability, Can, Capabilities, Metrics, SpaceCount, TimedRecalls
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.wire import ForeignMetricsError, NoReplyError, Reply, Wire, fan_out, quiet, readings
from runbook.wire.dialect import MARK
from runbook.wire.exchange import printable

_PATHS = {
    Can.FLAGS: "/api/v1/admin/features",
    Can.CONFIG: "/api/v1/admin/config",
    Can.LEASES: "/api/v1/admin/lease",
    Can.HEAP: "/api/v1/admin/heap",
    Can.CONCEPTS: "/api/v1/admin/concepts?limit=1",
    Can.CELLS: "/api/v1/admin/cells?since=4000000000",  # of the future: none, but the path answers
}
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
RECALLS = 10
LONGEST_SECONDS = 5.0
_QUERY = quote("how long does a recall take")


class Surveyor:
    """Asks servers what they are.

    Args:
        allow_plain_http: may a token go over plain http to another machine? (the target says)
        wire: the connections, with their limits.
        clock: seconds that never go back; a recall is timed by it.
    """

    def __init__(
        self,
        *,
        allow_plain_http: bool = False,
        wire: Wire | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._client = Client(wire or Wire(), quiet, time.sleep, allow_plain_http=allow_plain_http)
        self._clock = clock

    def look(self, nodes: Sequence[Node]) -> Mapping[str, Capabilities | Silence]:
        """What every node is and can do, by name, or its silence.

        Raises:
            RefusedError: a token is not kept as it must be.
        """
        return dict(zip((node.name for node in nodes), fan_out(nodes, self._look), strict=True))

    def time_recalls(self, nodes: Sequence[Node], space: str) -> Mapping[str, TimedRecalls]:
        """Ten recalls of every node, one after the other, for five seconds at most; only where it has that space.

        Raises:
            RefusedError: a token is not kept as it must be.
        """
        timed = fan_out(nodes, lambda node: self._time(node, space))
        return dict(zip((node.name for node in nodes), timed, strict=True))

    def _look(self, node: Node) -> Capabilities | Silence:
        try:
            health = self._client.ask(node, "/health")
        except NoReplyError as error:
            return Silence(node.name, error.message)
        if health.status in _REFUSED:
            return Silence(node.name, _refusal(health), answered=True)
        document = _object(health)
        version = " ".join(printable(str(document[name])) for name in ("service", "version") if name in document)
        told = printable(str(document["status"])) if "status" in document else f"health unknown: HTTP {health.status}"
        counts, why = self._counts(node)
        metrics, foreign = self._metrics(node)
        return Capabilities(node.name, version, told, self._abilities(node), metrics, foreign, counts, why)

    def _abilities(self, node: Node) -> tuple[Ability, ...]:
        """One after the other; where one is not answered, the node is left alone with the rest."""
        found: list[Ability] = []
        silent = ""
        for what, path in _PATHS.items():
            try:
                found.append(Ability(what, Answer.UNKNOWN, silent) if silent else self._ability(node, what, path))
            except NoReplyError as error:
                found.append(Ability(what, Answer.UNKNOWN, error.message))
                silent = "not asked, since it did not answer the one before"
        return tuple(found)

    def _ability(self, node: Node, what: Can, path: str) -> Ability:
        reply = self._client.ask(node, path)
        if reply.status in _MISSING:
            return Ability(what, Answer.NO, f"not supported by this node (HTTP {reply.status})")
        if reply.status in _REFUSED:
            return Ability(what, Answer.UNKNOWN, _refusal(reply))
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            return Ability(what, Answer.YES)
        if reply.status != HTTPStatus.OK:
            return Ability(what, Answer.UNKNOWN, f"HTTP {reply.status}")
        if not _object(reply):
            return Ability(what, Answer.UNKNOWN, f"answered with {reply.kind()} instead of a JSON object")
        return Ability(what, Answer.YES)

    def _metrics(self, node: Node) -> tuple[Metrics | None, str]:
        """The kind of its metrics, and what is to be said of it."""
        try:
            found = readings(self._client.ask(node, "/metrics/prometheus").checked(), [MARK])
        except ForeignMetricsError as error:
            return Metrics.FOREIGN, error.message
        except NoReplyError as error:
            return (Metrics.NONE if error.status == HTTPStatus.NOT_FOUND else None), error.message
        return (Metrics.CONTRACT, "") if found else (None, f"it exposes no {MARK}")

    def _counts(self, node: Node) -> tuple[tuple[SpaceCount, ...] | None, str]:
        """Memories by space, from the one request that can be asked on any server without naming a space."""
        try:
            reply = self._client.ask(node, "/api/v1/system/health")
            counts = tuple(SpaceCount(str(each["space"]), _number(each)) for each in _object(reply)["spaces"])
        except NoReplyError as error:
            return None, error.message
        except (KeyError, TypeError, ValueError):
            return None, f"/api/v1/system/health was answered with HTTP {reply.status}, and without spaces"
        return counts, ""

    def _time(self, node: Node, space: str) -> TimedRecalls:
        taken: list[float] = []
        reason = ""
        try:
            known = _names(self._client.ask(node, "/api/v1/spaces").checked())
            if space not in known:
                reason = f"it has no space {space}; not asked, since asking could make it (it has: {', '.join(known)})"
            begun = self._clock()
            while not reason and len(taken) < RECALLS and self._clock() - begun < LONGEST_SECONDS:
                taken.append(self._recall(node, space))
        except NoReplyError as error:
            reason = error.message
        return TimedRecalls(node.name, space, tuple(taken), reason)

    def _recall(self, node: Node, space: str) -> float:
        """Seconds of one recall, connection included; it leaves no trace on nodes that can do without one."""
        path = f"/api/v1/memories/recall?query={_QUERY}&max_results=1&observe=false"
        begun = self._clock()
        self._client.ask(node, path, {"X-Memory-Space": space}).checked()
        return self._clock() - begun


def _refusal(reply: Reply) -> str:
    return f"the node refused the token (HTTP {reply.status})"


def _object(reply: Reply) -> Mapping[str, Any]:
    """The JSON object, or nothing where it is something else."""
    try:
        document = reply.json()
    except NoReplyError:
        return {}
    return document if isinstance(document, Mapping) else {}


def _number(counts: Mapping[str, Any]) -> int:
    found = counts["memories"] if "memories" in counts else counts["episodes"]
    return int(found)


def _names(reply: Reply) -> tuple[str, ...]:
    """Names of the spaces that the server has.

    Raises:
        NoReplyError: it does not tell.
    """
    try:
        return tuple(str(space["id"]) for space in _object(reply)["spaces"])
    except (KeyError, TypeError):
        raise NoReplyError("it does not list its spaces") from None
