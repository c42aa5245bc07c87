"""From a target's settings to the target with its nodes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runbook.adapters.inventory.by_ansible import ask_ansible
from runbook.adapters.inventory.groups import host_variables
from runbook.adapters.inventory.yaml_document import read_document
from runbook.errors import DamagedError
from runbook.model.configuration import TargetSettings
from runbook.model.target import Node, Target, Way

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WAYS = tuple(way for way in Way if way is not Way.NGINX)
_BLANK = re.compile(r"[\s\x00-\x1f]")


def read_inventory(settings: TargetSettings) -> Target:
    """The target with its nodes and splitters, sorted by name: the hosts of its inventory with an URL of either kind.

    `engram_url` makes a host a node, `engram_splitter_url` a splitter; other hosts are nothing to this tool.

    Raises:
        DamagedError: the inventory does not read, a value in it is wrong, or it has no nodes.
        NotSupportedError: it takes Ansible to read it, and Ansible is not there.
    """
    path = settings.inventory
    if not path.exists():
        raise DamagedError(f"{path}: there is no such inventory", hint=f"target {settings.name} names it")
    hosts = _hosts(path)
    nodes = tuple(_node(settings, name, values) for name, values in sorted(hosts.items()) if "engram_url" in values)
    if not nodes:
        raise DamagedError(
            f"{path}: no host has engram_url ({len(hosts)} hosts read)", hint="set engram_url: http://HOST:PORT"
        )
    splitters = tuple(
        _splitter(path, name, hosts[name]) for name in sorted(hosts) if "engram_splitter_url" in hosts[name]
    )
    _refuse_twins(path, (*nodes, *splitters))
    return Target(
        name=settings.name,
        environment=settings.environment,
        inventory=path,
        nodes=nodes,
        prometheus=settings.prometheus,
        allow_plain_http=settings.allow_plain_http,
        rails=settings.rails,
        warm_up=settings.warm_up,
        splitters=splitters,
    )


def _hosts(path: Path) -> Mapping[str, Mapping[str, Any]]:
    if path.is_file() and path.suffix in {".yml", ".yaml"} and not _has_neighbours(path):
        document = read_document(path)
        if document is not None:
            return host_variables(path, document)
    return ask_ansible(path)


def _has_neighbours(path: Path) -> bool:
    """Variables beside the inventory: Ansible knows best how they combine."""
    return any((path.parent / name).is_dir() for name in ("group_vars", "host_vars"))


def _splitter(path: Path, name: str, values: Mapping[str, Any]) -> Node:
    """What splits the traffic has no token: no secret of a node is ever sent to it."""
    _check_name(path, name, "splitter")
    if "engram_url" in values:
        raise DamagedError(
            f"{path}: {name} has engram_url and engram_splitter_url: it is a node or a splitter",
            hint="give the nginx of a node's host a name of its own in the inventory, with the same ansible_host",
        )
    return Node(name, _url(path, name, "engram_splitter_url", values), Way.NGINX)


def _check_name(path: Path, name: str, what: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise DamagedError(
            f"{path}: {name!r} cannot be the name of a {what}", hint="use letters, digits, '.', '_' and '-'"
        )


def _node(settings: TargetSettings, name: str, values: Mapping[str, Any]) -> Node:
    path = settings.inventory
    _check_name(path, name, "node")
    token_file = settings.token_file
    if "engram_token_file" in values:
        token_file = _folder(path) / _text(path, name, "engram_token_file", values)
    way = _text(path, name, "engram_way", values) if "engram_way" in values else Way.HTTP
    if way not in _WAYS:
        raise DamagedError(f"{path}: {name}: engram_way {way!r} is unknown", hint=f"one of: {', '.join(_WAYS)}")
    if way == Way.FILE:
        _check_file_way(path, name, values)
    return Node(name, _url(path, name, "engram_url", values), Way(way), token_file)


def _check_file_way(path: Path, name: str, values: Mapping[str, Any]) -> None:
    """What a play would miss is told before a run begins; what it will decrypt or resolve itself is left to it."""
    file = values.get("engram_settings_file")
    if file is None or (isinstance(file, str) and not file.startswith(("/", "{{"))):
        raise DamagedError(
            f"{path}: {name}: engram_way file needs engram_settings_file, the whole path on the host",
            hint="engram_settings_file: /etc/engram/settings.toml",
        )
    words = values.get("engram_restart_command")
    if not words or (isinstance(words, str) and "{{" not in words):
        raise DamagedError(
            f"{path}: {name}: engram_way file needs engram_restart_command, a list of words",
            hint="engram_restart_command: [systemctl, restart, engram]",
        )


def _folder(path: Path) -> Path:
    return (path if path.is_dir() else path.parent).absolute()


def _text(path: Path, name: str, key: str, values: Mapping[str, Any]) -> str:
    value = values[key]
    if isinstance(value, dict) and "__ansible_vault" in value:
        raise DamagedError(
            f"{path}: {name}: {key} is encrypted, which only a play resolves", hint="leave it in plain words"
        )
    if not isinstance(value, str) or not value.strip():
        raise DamagedError(f"{path}: {name}: {key} must be a text", hint=f"write {key}: in plain words for this host")
    if "{{" in value:
        raise DamagedError(
            f"{path}: {name}: {key} is a template, which only a play resolves", hint="write the value out for each host"
        )
    return value.strip()


def _url(path: Path, name: str, key: str, values: Mapping[str, Any]) -> str:
    """The URL without a slash at its end.

    Raises:
        DamagedError: it is none that a node could have; a password in it is not shown.
    """
    text, what = _text(path, name, key, values), ""
    try:
        parts = urlsplit(text)
        if parts.username is not None or parts.password is not None:
            what, text = "holds a user or password", f"{parts.scheme}://...@{parts.hostname}"
        elif parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or not text.isascii():
            what = "is no http or https URL"
        elif parts.query or parts.fragment or _BLANK.search(text):
            what = "holds more than scheme, host, port and path"
    except ValueError:
        what = "is no URL"
    if what:
        raise DamagedError(f"{path}: {name}: {key} {text!r} {what}", hint="write it like http://HOST:PORT")
    return text.rstrip("/")


def _refuse_twins(path: Path, nodes: tuple[Node, ...]) -> None:
    seen: dict[str, Node] = {}
    for node in nodes:
        twin = seen.setdefault(node.url, node)
        if twin is node:
            continue
        if (twin.way is Way.NGINX) is not (node.way is Way.NGINX):
            raise DamagedError(
                f"{path}: the node {twin.name} and the splitter {node.name} have the same URL {node.url}",
                hint="engram_splitter_url is where nginx itself tells what it splits by, never a node's own URL",
            )
        key = "engram_splitter_url" if node.way is Way.NGINX else "engram_url"
        raise DamagedError(
            f"{path}: {twin.name} and {node.name} have the same {key} {node.url}",
            hint="one node, one name: it would be changed twice",
        )
