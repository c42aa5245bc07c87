"""Upstream 0.1's own `engram` command, as read from its source: four keys, in a file that it writes anew each time.

Its `config set` knows no other key (exit 1, nothing written), takes effect only at the next start of the server, and
drops every section, key and comment that it does not know. `export` and `migrate --to` are usage errors (exit 2).
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KEYS: dict[str, Any] = {
    "feature_flags.spreading_api_beta": True,
    "memory_spaces.default_space": "default",
    "memory_spaces.bootstrap_spaces": ["default"],
    "server.http_bind": "127.0.0.1",
}
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def config_file() -> Path:
    """`$XDG_CONFIG_HOME/engram/config.toml`, else in `~/.config`."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.environ["HOME"], ".config")  # noqa: PTH118 - a text
    return Path(home) / "engram" / "config.toml"


def main(words: Sequence[str]) -> int:
    """0 done, 1 the key said no, 2 usage."""
    match list(words):
        case ["config", "get", key] if key in KEYS:
            sys.stdout.write(f"{_shown(_load()[key])}\n")
        case ["config", "set", key, value] if key in KEYS:
            return _set(key, value)
        case ["config", "get", key] | ["config", "set", key, _]:
            sys.stderr.write(f"Error: unknown configuration key: {key}\n")
            return 1
        case ["config", "path"]:
            sys.stdout.write(f"{config_file()}\n")
        case ["config", "list"]:
            sys.stdout.writelines(f"{key} = {_shown(value)}\n" for key, value in _load().items())
        case ["migrate", option, *_] if option.startswith("--"):
            sys.stderr.write(f"error: unexpected argument '{option}' found\n\nUsage: engram migrate <COMMAND>\n")
            return 2
        case [verb, *_]:
            sys.stderr.write(f"error: unrecognized subcommand '{verb}'\n\nUsage: engram [OPTIONS] <COMMAND>\n")
            return 2
        case _:
            return 2
    return 0


def _load() -> dict[str, Any]:
    path = config_file()
    document = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    parts = ((key, *key.split(".")) for key in KEYS)
    return {key: document.get(section, {}).get(name, KEYS[key]) for key, section, name in parts}


def _set(key: str, text: str) -> int:
    usual = KEYS[key]
    if isinstance(usual, bool):
        if text.lower() not in TRUE | FALSE:
            sys.stderr.write(f"Error: expected boolean value, received '{text}'\n")
            return 1
        value: Any = text.lower() in TRUE
    elif isinstance(usual, list):
        value = [part.strip() for part in text.split(",") if part.strip()] or ["default"]
    else:
        value = text
    _save({**_load(), key: value})
    sys.stdout.write(f"Updated {key} = {_shown(value)}\n")
    return 0


def _save(values: dict[str, Any]) -> None:
    """Only what it knows: the rest of the file is gone."""
    lines: list[str] = []
    for key, value in values.items():
        section, name = key.split(".")
        if f"[{section}]" not in lines:
            lines.append(f"[{section}]")
        lines.append(f"{name} = {_toml(value)}")
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str([str(item) for item in value]) if isinstance(value, list) else f'"{value}"'


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
