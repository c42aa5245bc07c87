"""The admin token: read at the moment of use, and never sent where others could read it."""

import ipaddress
import os
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from runbook.errors import RefusedError
from runbook.model.target import Node
from runbook.wire.exchange import NoReplyError

_LIMIT_BYTES = 4096
_TOKEN = re.compile(rb"[\x21-\x7e]+")


def authorization(node: Node, *, allow_plain_http: bool) -> dict[str, str]:
    """The header that an admin request to this node needs; empty where the node has no token.

    Raises:
        RefusedError: others may read the token's file, or the token would cross a network in the open.
        NoReplyError: the file cannot be read or holds no token.
    """
    if node.token_file is None:
        return {}
    if not carries(node, allow_plain_http=allow_plain_http):
        raise RefusedError(
            f"node {node.name}: refusing to send a token over plain http to another machine",
            hint="use https, or set allow_plain_http = true for this target",
        )
    return {"Authorization": f"Bearer {_read(node.token_file)}"}


def carries(node: Node, *, allow_plain_http: bool) -> bool:
    """May a token go to this node: over https, to this machine, or wherever the target allows plain http?"""
    return allow_plain_http or _kept_private(node.url)


def _kept_private(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hang the command
    except OSError as error:
        raise NoReplyError(f"not asked: the token file {path} cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NoReplyError(f"not asked: the token file {path} is no regular file")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RefusedError(f"the token file {path} can be read by others", hint=f"chmod 600 {path}")
        token = os.read(descriptor, _LIMIT_BYTES).strip()
    finally:
        os.close(descriptor)
    if _TOKEN.fullmatch(token) is None:
        raise NoReplyError(f"not asked: the token file {path} holds no token")
    return token.decode("ascii")
