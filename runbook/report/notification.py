"""A message as the body that a receiver wants: a JSON document whose texts are templates.

The document is read before anything is filled in, and each of its texts is filled in by itself: whatever a reason or a
peer's words hold, they cannot leave their string.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.errors import DamagedError
from runbook.material import folder
from runbook.model.notification import Message

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_LIMIT_BYTES = 64 << 10
_ENDING = ".json"


def built_in() -> tuple[str, ...]:
    """The names of the templates that come with the tool."""
    return tuple(sorted(path.stem for path in folder("notifications").glob(f"*{_ENDING}")))


def template_path(template: str) -> Path:
    """Where the template is: one of ours by its name, else a file."""
    return folder("notifications") / f"{template}{_ENDING}" if template in built_in() else Path(template)


def body_of(message: Message, template: str, secret: str) -> bytes:
    """The body of the request.

    Raises:
        DamagedError: the template cannot be read, is no JSON, or cannot be filled in; what is in it is not told.
    """
    path = template_path(template)
    document = _read(path)
    environment, values = _environment(), _values(message, secret)
    return json.dumps(_filled(document, f"{path}: ", environment, values)).encode()


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise DamagedError(f"the template {path} cannot be read: {error.strerror}") from None
    if len(raw) > _LIMIT_BYTES:
        raise DamagedError(f"the template {path} is larger than {_LIMIT_BYTES} bytes")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"the template {path} is no JSON: {error}") from None


def _filled(document: Any, place: str, environment: "SandboxedEnvironment", values: Mapping[str, Any]) -> Any:
    match document:
        case str():
            return _text(document, place, environment, values)
        case list():
            return [_filled(each, f"{place}[{at}]", environment, values) for at, each in enumerate(document)]
        case dict():
            return {key: _filled(each, f"{place}.{key}", environment, values) for key, each in document.items()}
        case _:
            return document


def _text(text: str, place: str, environment: "SandboxedEnvironment", values: Mapping[str, Any]) -> str:
    try:
        return environment.from_string(text).render(values)
    except Exception as error:  # noqa: BLE001 - a template can fail in any way
        told = f"the template {place} cannot be filled in: {type(error).__name__}"  # people write a key into a template
        raise DamagedError(told) from None


def _environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined  # noqa: PLC0415 - 60 ms that only telling pays for
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - same

    # Not escaped as HTML: the texts become texts of JSON, by a writer of JSON.
    environment = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)
    environment.filters |= {"slack": _slack, "code": _code, "cut": _cut}
    return environment


def _values(message: Message, secret: str) -> dict[str, Any]:
    return {
        "seq": message.seq,
        "at": message.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": message.event,
        "kinds": sorted(kind.value for kind in message.kinds),
        "severity": message.severity.value,
        "action": "trigger" if message.trouble else "resolve",
        "key": message.key,
        "title": message.title,
        "text": message.text,
        "target": message.target,
        "subject": message.subject,
        "who": message.who,
        "where": message.where,
        "commands": list(message.commands),
        "secret": secret,
    }


def _slack(text: str) -> str:
    """Without the three characters by which Slack's text calls people and makes links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(commands: list[str]) -> str:
    """As a block of code of Slack's; nothing where there is none."""
    lines = "\n".join(_slack(each).replace("`", "'") for each in commands)
    return f"\n```{lines}```" if lines else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
