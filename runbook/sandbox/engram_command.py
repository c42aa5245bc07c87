"""The compatible `engram` command: `engram config get KEY | set KEY VALUE | list` for one node.

The node is named by ENGRAM_URL, the file with its admin token by ENGRAM_TOKEN_FILE. What it prints follows upstream's
command. Only the standard library is used and little of it, since Ansible starts it once per setting and host.
"""

import http.client
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_PATHS = {"/api/v1/admin/features": "POST", "/api/v1/admin/config": "PATCH"}
_INSTEAD = {
    "export": "export --format dual_memory",
    "import": "import FILE",
    "migrate": "migrate --to single_memory --backup backup.json",
    "backup": "backup create",
}
"""What `runbook` does in place of a verb."""
_USAGE = "usage: engram config get KEY | engram config set KEY VALUE | engram config list"
_TIMEOUT = 10.0
_FIRST_ERROR = 400
_BAD_USAGE = 2


class EngramError(Exception):
    """What the command could not do; printed behind `Error: `."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code: 0 done, 1 the node or the key said no, 2 usage."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        match words:
            case ["config", "get", key]:
                sys.stdout.write(f"{_shown(_found(_settings(), key)[1])}\n")
            case ["config", "set", key, value]:
                sys.stdout.write(f"Updated {key} = {_set(key, value)}\n")
            case ["config", "list"]:
                settings = sorted(item for of_path in _settings().values() for item in of_path.items())
                sys.stdout.writelines(f"{key} = {_shown(value)}\n" for key, value in settings)
            case [verb, *_] if verb in _INSTEAD:
                sys.stderr.write(f"Error: engram {verb} writes nothing here; use: runbook {_INSTEAD[verb]}\n")
                return _BAD_USAGE
            case _:
                sys.stderr.write(f"{_USAGE}\n")
                return _BAD_USAGE
    except EngramError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _settings() -> dict[str, dict[str, Any]]:
    """The settings of the node by the path that changes them."""
    return {path: _flat(_ask("GET", path)) for path in _PATHS}


def _found(settings: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str, Any]:
    for path, of_path in settings.items():
        if key in of_path:
            return path, of_path[key]
    raise EngramError(f"unknown configuration key: {key}")


def _set(key: str, text: str) -> str:
    path, current = _found(_settings(), key)
    after = _flat(_ask(_PATHS[path], path, {key: _parsed(key, text, current)}))
    return _shown(after.get(key, text))


def _parsed(key: str, text: str, current: Any) -> Any:
    """The text as a value of the same kind as the current one; the node checks it closely."""
    try:
        match current:
            case bool():
                return {"true": True, "false": False}[text.strip().lower()]
            case int() | float():
                number = float(text)
                return int(text) if text.strip().lstrip("+-").isdecimal() else number
            case list():
                return [part.strip() for part in text.split(",") if part.strip()]
            case _:
                return text
    except (KeyError, ValueError):
        kind = "true or false" if isinstance(current, bool) else "a number"
        raise EngramError(f"{key} takes {kind}, not {text!r}") from None


def _shown(value: Any) -> str:
    match value:
        case str():
            return value
        case list():
            return ",".join(map(str, value))
        case _:
            return json.dumps(value)


def _flat(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise EngramError("the node sent something else than its settings")
    return document


def _ask(method: str, path: str, body: Any = None) -> Any:
    host, port = _address()
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        connection.request(method, path, content, {"Content-Type": "application/json", **_authorization()})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EngramError(f"{host}:{port} does not answer: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()
    return _document(answer.status, text)


def _address() -> tuple[str, int]:
    try:
        url = urlsplit(os.environ.get("ENGRAM_URL", ""))
        if url.scheme == "http" and url.hostname:
            return url.hostname, url.port or http.client.HTTP_PORT
    except ValueError:
        pass
    raise EngramError("ENGRAM_URL does not name a node, such as http://127.0.0.1:7432")


def _authorization() -> dict[str, str]:
    name = os.environ.get("ENGRAM_TOKEN_FILE", "")
    if not name:
        return {}
    try:
        return {"Authorization": f"Bearer {Path(name).read_text(encoding='ascii').strip()}"}
    except (OSError, ValueError) as error:
        raise EngramError(f"cannot read the token in {name}: {error}") from error


def _document(status: int, text: bytes) -> Any:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise EngramError(f"the node answered {status} with something else than JSON") from None
    if status >= _FIRST_ERROR:
        said = document.get("error") if isinstance(document, dict) else None
        raise EngramError(
            said["message"] if isinstance(said, dict) and "message" in said else f"the node answered {status}"
        )
    return document


if __name__ == "__main__":
    sys.exit(main())
