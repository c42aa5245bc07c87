"""The group that a real nginx gives a space is the one that our own function says: for each of 10 000 spaces."""

import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ansible_collections.engram.ops.plugins.module_utils import split_nginx, split_values
from ansible_collections.engram.ops.plugins.module_utils.split_render import DIGEST, made_of, rendered
from ansible_collections.engram.ops.plugins.module_utils.split_values import KEYS, NAME, RATE, SALT, SPACES, split_of
from nginx_server import Nginx, nginx
from peers import closed_port

from runbook.adapters.engram import splitters
from runbook.model.assignment import NAMES_SPLIT, SALTS_SPLIT, in_treatment
from runbook.model.settings import CATALOGUE
from runbook.sandbox.engine import DEFAULT_SPACE

SPACES_10_000 = [
    *(f"space-{number}" for number in range(7000)),
    *(f"tenant_{number * 7919:x}" for number in range(2500)),
    *(f"{letter * length}-{letter}" for letter in "aZ9." for length in range(1, 126)),
]
TALKED_TO = 500
"""Requests on their way at once: less than the sockets hold."""

GROUP = re.compile(rb"\r\n\r\n(treatment|control)")


class Asked:
    """A splitter, and a door of the same nginx that only tells the group of a request."""

    def __init__(self, server: Nginx, door: int, listen: str) -> None:
        self._server, self._door, self._listen = server, door, listen

    def split(self, share: float, salt: str, spaces: Sequence[str] = ()) -> None:
        """Have nginx split so."""
        values = dict(zip(KEYS, (share, salt, list(spaces)), strict=True))
        routes = [{"listen": self._listen, "control": ["http://127.0.0.1:1"]}]
        content = rendered(split_of(values, {"routes": routes, "log": str(self._server.log)}))
        self._server.file.write_text(content)
        split_nginx.reload(self._server.command("-s", "reload"))
        found = split_nginx.await_digest(self._listen, made_of(content)[DIGEST], str(self._server.file))
        assert dict(found.values) == values
        self._server.settle()  # on a busy machine those of before may need longer than it is waited for

    def groups(self, spaces: Sequence[str]) -> list[str]:
        """The group of each, as nginx says; all through one connection, many at once."""
        found: list[str] = []
        with socket.create_connection(("127.0.0.1", self._door), timeout=20) as line:
            for at in range(0, len(spaces), TALKED_TO):
                part = spaces[at : at + TALKED_TO]
                line.sendall(b"".join(_request(space) for space in part))
                told = b""
                while len(GROUP.findall(told)) < len(part):
                    piece = line.recv(1 << 20)
                    assert piece, told
                    told += piece
                found += [name.decode() for name in GROUP.findall(told)]
        return found


def _request(space: str) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: x\r\nX-Memory-Space: {space}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """One nginx for all of it."""
    door, listen = closed_port(), f"127.0.0.1:{closed_port()}"
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "split.d").mkdir()
    (folder / "split.d" / "engram-split.conf").write_text("map '' $engram_group { default ''; }")
    content = f"server {{ listen 127.0.0.1:{door}; keepalive_requests 1000000; return 200 $engram_group; }}"
    with nginx(folder, content) as server:
        yield Asked(server, door, listen)


@pytest.mark.parametrize(
    ("share", "salt"),
    [
        (0.0, "dual-memory"),
        (0.0001, "dual-memory"),
        (0.01, "2026-11 rollout: eu/1"),
        (0.0337, ""),
        (0.05, "dual-memory"),
        (0.25, "dual-memory"),
        (0.5, "a=b,c@d~e+f"),
        (0.9999, "dual-memory"),
        (1.0, "dual-memory"),
    ],
)
def test_nginx_and_the_function_agree_on_each_of_10_000_spaces(asked: Asked, share: float, salt: str) -> None:
    """At shares of every size, nobody and everybody included; the salt does not matter."""
    assert len(set(SPACES_10_000)) == 10_000
    asked.split(share, salt)
    expected = [in_treatment(space, salt=salt, share=share) for space in SPACES_10_000]
    assert [group == "treatment" for group in asked.groups(SPACES_10_000)] == expected
    assert abs(sum(expected) / 10_000 - share) < 0.015


def test_named_spaces_are_treated_and_nobody_who_is_only_like_them(asked: Asked) -> None:
    """Thousands of names, more than nginx takes in one parameter; A is not a, and a dot is a dot."""
    named = [f"named-{number}" for number in range(5000)] + ["a.b", "Team"]
    others = ["a-b", "team", "TEAM", "named-5000", "xnamed-1", "named-1x", "named-", "named-1|named-2"]
    asked.split(0.0, "dual-memory", named)
    assert set(asked.groups(named)) == {"treatment"}
    assert asked.groups(others) == ["control"] * len(others)


HOSTILE = [
    *("x" * 129, "a b", "a\tb", 'a"b', "a'b", "a\\b", "a;b", "a{b}", "$engram_group", "${x}", "a%2Db", "../a"),
    *("a/b", "é", "a,b", "a\x7fb", "-" * 4000),
]


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_what_is_no_name_of_a_space_goes_to_control(asked: Asked, share: float) -> None:
    """Too long, or of other letters; where everyone is treated, too."""
    asked.split(share, "dual-memory")
    assert not any(re.fullmatch(NAME, each) for each in HOSTILE)
    assert asked.groups(HOSTILE) == ["control"] * len(HOSTILE)


def test_a_request_that_names_no_space_is_of_the_default_one(asked: Asked) -> None:
    """As on the node, which would count it there: so at a share of everything it is treated, too."""
    for share in (0.0, 0.5, 1.0):
        asked.split(share, "dual-memory")
        expected = "treatment" if in_treatment(DEFAULT_SPACE, salt="dual-memory", share=share) else "control"
        assert asked.groups(["", DEFAULT_SPACE]) == [expected, expected]


def test_the_three_settings_have_the_names_of_a_node() -> None:
    """The module cannot import ours."""
    assert KEYS == (RATE, SALT, SPACES) == splitters.KEYS
    assert set(KEYS) <= set(CATALOGUE)
    assert (NAME, split_values._SALT.pattern) == (NAMES_SPLIT.pattern, SALTS_SPLIT.pattern)


def test_a_place_is_where_nginx_needs_one(tmp_path: Path) -> None:
    """A share that is no whole step is rounded as by our own function."""
    routes = [{"listen": "127.0.0.1:80", "control": ["http://127.0.0.1:1"]}]
    for share, wanted in ((0.00004, None), (0.12344, "12.34%"), (0.12346, "12.35%"), (0.99996, None)):
        text = rendered(split_of({RATE: share, SALT: "", SPACES: []}, {"routes": routes, "log": str(tmp_path / "log")}))
        found = re.search(r"^    ([0-9.]+%) treatment;$", text, re.MULTILINE)
        assert (found and found.group(1)) == wanted
