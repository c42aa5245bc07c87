"""What a play is told: checked, and written so that Ansible takes every text as text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.errors import UsageError
from runbook.model.play import CollectRequest, PlayRequest, TogetherRequest, WorkRequest
from runbook.model.settings import Value

HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names that Ansible can only take for a host; patterns such as `all:!web*` are not among them."""

Request = PlayRequest | TogetherRequest | CollectRequest | WorkRequest


def check(request: Request) -> None:
    """Refuse a request that Ansible could understand in another way.

    Raises:
        UsageError: a name that is no plain host name, or a host without a value.
    """
    for host in request.hosts:
        if not HOST.fullmatch(host):
            raise UsageError(
                f"{host!r} is not a plain host name",
                hint="letters, digits, dots, dashes and underscores; give the host an alias in the inventory",
            )
        if isinstance(request, PlayRequest):
            _check_values(request, host)
    if not request.mark or "\0" in request.mark:
        raise UsageError("a play needs a mark")


def _check_values(request: PlayRequest, host: str) -> None:
    if host not in request.values or (request.expected is not None and host not in request.expected):
        raise UsageError(f"there is no value of {request.key} for the host {host}")


@dataclass(frozen=True, slots=True)
class Access:
    """How the target reaches hosts whose inventory does not say it: paths of token files, never tokens."""

    token_files: Mapping[str, Path] = field(default_factory=dict)
    allow_plain_http: bool = False


def write(request: Request, access: Access, folder: Path) -> None:
    """Write the play's variables where ansible-runner looks for them, and the hosts where `limit` does."""
    (folder / "env").mkdir(mode=0o700)
    _write(folder / "env" / "extravars", as_yaml(request, access))
    _write(folder / "hosts", "\n".join(request.hosts) + "\n")


def as_yaml(request: Request, access: Access) -> str:
    """The play's variables, in the words of the playbooks."""
    import yaml  # noqa: PLC0415 - costs 15 ms; diagnosing goes without

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the name and shape are PyYAML's
            return True

    Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
    files = {host: _Text(access.token_files[host]) for host in request.hosts if host in access.token_files}
    told: dict[str, Any] = {"token_file_by_host": files, "allow_plain_http": access.allow_plain_http}
    if isinstance(request, PlayRequest):
        told |= {"key": _Text(request.key), "value_by_host": _by_host(request, request.values)}
        if request.expected is not None:
            told["expected_by_host"] = _by_host(request, request.expected)
    if isinstance(request, TogetherRequest):
        told["value_by_host"] = {host: _marked(request.of(host)) for host in request.hosts}
    if isinstance(request, WorkRequest | CollectRequest):
        told |= {name: _marked(value) for name, value in request.inputs.items()}
    return yaml.dump(told, Dumper=Dumper, allow_unicode=False)


class _Text(str):
    """A text that Ansible must not take for a template: a value may come from a node that cannot be trusted."""

    __slots__ = ()


def _by_host(request: PlayRequest, values: Mapping[str, Value]) -> Any:
    return {host: _marked(values[host]) for host in dict.fromkeys(request.hosts)}


def _marked(value: Any) -> Any:
    match value:
        case str():
            return _Text(value)
        case tuple() | list():
            return [_marked(item) for item in value]
        case dict():
            return {name: _marked(item) for name, item in value.items()}
        case _:
            return value


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
