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
_WORDS = re.compile(rb"[\x20-\x7e]+")


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
    return {"Authorization": f"Bearer {secret(node.token_file, 'token file')}"}


def carries(node: Node, *, allow_plain_http: bool) -> bool:
    """May a token go to this node: over https, to this machine, or wherever the target allows plain http?"""
    return allow_plain_http or is_private(node.url)


def is_private(url: str) -> bool:
    """Does what is sent there stay out of others' sight: over https, or to this machine?"""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secret(path: Path, what: str, *, words: bool = False) -> str:
    """The secret in that file, which only its owner may read; `what` says what it is; with `words` it may have spaces.

    Raises:
        RefusedError: others may read the file.
        NoReplyError: the file cannot be read or holds no secret.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hang the command
    except OSError as error:
        raise NoReplyError(f"not asked: the {what} {path} cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NoReplyError(f"not asked: the {what} {path} is no regular file")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RefusedError(f"the {what} {path} can be read by others", hint=f"chmod 600 {path}")
        found = os.read(descriptor, _LIMIT_BYTES).strip()
    finally:
        os.close(descriptor)
    if (_WORDS if words else _TOKEN).fullmatch(found) is None:
        raise NoReplyError(f"not asked: the {what} {path} holds no {'secret' if words else 'token'}")
    return found.decode("ascii")
