"""What a splitter is told, checked before anything is rendered: nothing hostile reaches nginx."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RATE, SALT, SPACES = "dual_memory.treatment_rate", "dual_memory.treatment_salt", "dual_memory.treatment_spaces"
KEYS = (RATE, SALT, SPACES)
FIRST = {RATE: 0.0, SALT: "dual-memory", SPACES: []}
"""Of a splitter that never was told anything: nobody is treated."""

STEPS = 10_000
NAME = "[A-Za-z0-9_.-]{1,128}"
"""What the name of a space may be; a request whose space is none of these goes to control."""
LARGEST_NAMES = 80_000
"""Characters of a list of names as JSON: a result has it several times, and ansible-runner drops one of 700,000."""
_SALT = re.compile("[A-Za-z0-9 _.:,@/+=~-]{0,256}")
_HOST = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
_URL = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?/?")
_PORTS = {"http": "80", "https": "443"}
_LISTEN = re.compile(rf"(?:(\*|{_HOST}):)?([0-9]{{1,5}})")
_PATH = re.compile("/[A-Za-z0-9_./@+=-]{1,1000}")
_READER = re.compile("[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?")
_ROUTE = {"listen", "control", "treatment", "mirror"}
LARGEST_PORT = 65_535


class SplitError(Exception):
    """It cannot be done; the message says why. `reason` is one word for programs."""

    def __init__(self, message: str, reason: str = "usage") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Route:
    """One door: where it listens, and the nodes behind it, each as host and port, by group.

    Over TLS every node of a group has the name that its certificate is for; over plain http the names are empty.
    """

    listen: str
    control: Sequence[str]
    treatment: Sequence[str]
    mirror: bool
    control_name: str = ""
    treatment_name: str = ""

    @property
    def scheme(self) -> str:
        """How the nodes are reached."""
        return "https" if self.control_name else "http"

    @property
    def said(self) -> Mapping[str, Any]:
        """As an inventory says it."""
        pools = {"control": self.control, "treatment": self.treatment}
        urls = {group: [f"{self.scheme}://{each}" for each in servers] for group, servers in pools.items()}
        return {"listen": self.listen, **urls, "mirror": self.mirror}


@dataclass(frozen=True)
class Split:
    """Everything that is rendered."""

    rate: float
    salt: str
    spaces: Sequence[str]
    routes: Sequence[Route]
    log: str
    readers: Sequence[str] = ()
    default_space: str = "default"
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"

    @property
    def values(self) -> Mapping[str, Any]:
        """The three settings, by name."""
        return {RATE: self.rate, SALT: self.salt, SPACES: list(self.spaces)}

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The rest, as `split_of` takes it."""
        named = {"log": self.log, "default_space": self.default_space, "authorities": self.authorities}
        return {"routes": [route.said for route in self.routes], "readers": list(self.readers), **named}


def split_of(values: Mapping[str, Any], inputs: Mapping[str, Any]) -> Split:
    """All of it, checked: the settings by name, and what the inventory says, without its `engram_splitter_`.

    Raises:
        SplitError: something is not of its type, or not of its letters.
    """
    routes, readers = inputs["routes"], inputs.get("readers", [])
    if not isinstance(routes, list) or not routes:
        raise SplitError("engram_splitter_routes must be a list of {listen, control: [urls]}, and is not")
    if not isinstance(readers, list):
        raise SplitError("engram_splitter_readers must be a list of addresses or networks")
    doors = [_route(place, route) for place, route in enumerate(routes, 1)]
    taken = [door.listen.replace("*:", "") for door in doors]
    if len(set(taken)) < len(taken):
        raise SplitError(f"two routes of engram_splitter_routes listen on one address: {', '.join(sorted(taken))}")
    path, name = "a whole path without blanks and quotes", "1 to 128 letters, digits, _, . and -"
    space, authorities = inputs.get("default_space", "default"), inputs.get("authorities", Split.authorities)
    return Split(
        rate_of(values[RATE]),
        _text(_SALT, values[SALT], SALT, "at most 256 letters, digits, spaces and _.:,@/+=~-"),
        names_of(values[SPACES]),
        doors,
        _text(_PATH, inputs["log"], "engram_splitter_log", path),
        [_text(_READER, each, "engram_splitter_readers", "addresses or networks") for each in readers],
        _text(re.compile(NAME), space, "engram_splitter_default_space", name),
        _text(_PATH, authorities, "engram_splitter_authorities", path),
    )


def rate_of(value: Any) -> float:
    """A share, 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise SplitError(f"{RATE} must be a number from 0 to 1, not {value!r:.100}")
    return float(value)


def names_of(value: Any) -> Sequence[str]:
    """Names of spaces."""
    if not isinstance(value, list):
        raise SplitError(f"{SPACES} must be a list of names, not {value!r:.100}")
    name = re.compile(NAME)
    names = [_text(name, each, SPACES, "names of 1 to 128 letters, digits, _, . and -") for each in value]
    size = len(json.dumps(names))
    if size > LARGEST_NAMES:
        raise SplitError(
            f"{SPACES}: {len(names)} names are {size} characters; a splitter takes {LARGEST_NAMES} at most"
        )
    return names


def _route(place: int, route: Any) -> Route:
    where = f"route {place} of engram_splitter_routes"
    if not isinstance(route, Mapping) or not set(route) <= _ROUTE or not {"listen", "control"} <= set(route):
        raise SplitError(f"{where} must have listen and control, and may have treatment and mirror; nothing else")
    mirror = route.get("mirror", False)
    if not isinstance(mirror, bool):
        raise SplitError(f"{where}: mirror is true or false, not {mirror!r:.100}")
    listen = str(route["listen"]) if not isinstance(route["listen"], bool) else ""
    _port(_matched(_LISTEN, listen, f"{where}: listen", "PORT or ADDRESS:PORT").group(2), where)
    control, name = _nodes(route["control"], where)
    treatment, other = _nodes(route.get("treatment", route["control"]), where)
    if bool(name) is not bool(other):
        raise SplitError(f"{where}: either all nodes are reached over https, or none")
    return Route(listen, control, treatment, mirror, name, other)


def _nodes(value: Any, where: str) -> "tuple[Sequence[str], str]":
    """Each as host and port; over TLS, with the one name that their certificates are for."""
    if not isinstance(value, list) or not value:
        raise SplitError(f"{where}: control and treatment are lists of URLs")
    found = [_matched(_URL, each, where, "http://HOST:PORT or https://HOST:PORT, without a path") for each in value]
    servers = []
    for each in found:
        port = each.group(3) or _PORTS[each.group(1)]
        _port(port, where)
        servers.append(f"{each.group(2)}:{port}")
    names = {each.group(2) for each in found if each.group(1) == "https"}
    if not names:
        return servers, ""
    name = names.pop()
    if names or not all(each.group(1) == "https" for each in found):
        raise SplitError(f"{where}: over https all nodes of a group have one name, which their certificates are for")
    if not any(letter.isalpha() for letter in name) or ":" in name:
        raise SplitError(f"{where}: over https a node is named, since nginx knows no certificate for {name}")
    return servers, name


def _port(text: str, where: str) -> None:
    if not 1 <= int(text) <= LARGEST_PORT:
        raise SplitError(f"{where}: {text} is no port")


def _text(pattern: "re.Pattern[str]", value: Any, name: str, allowed: str) -> str:
    return _matched(pattern, value, name, allowed).group()


def _matched(pattern: "re.Pattern[str]", value: Any, name: str, allowed: str) -> "re.Match[str]":
    found = pattern.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise SplitError(f"{name}: {value!r:.100} is refused; allowed are {allowed}")
    return found
