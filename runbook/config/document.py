"""`runbook.toml`: where it is looked for, and how it is read. Everything wrong with it is named with its place."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runbook.config.complaint import first_complaint, suggestion
from runbook.config.quick import essentials
from runbook.config.rails import length_of, rails_of
from runbook.config.receivers import Receivers, receiver_of, receivers_of
from runbook.config.serving import automatic_of, serve_of
from runbook.config.stray import header_of, is_stray, whole
from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.model.configuration import WARM_UP, Config, TargetSettings

_VERSION = 1
_LIMIT_BYTES = 1 << 20
_READABLE = "it must be a file that you may read"


def load_config(environ: Mapping[str, str], explicit: Path | None, *, quick: bool = False) -> Config:
    """The configuration: the explicit file, else RUNBOOK_CONFIG, else the first of the usual places, else an empty one.

    With `quick` only what says who the nodes are is looked at.

    Raises:
        UsageError: a file that was named is not there.
        DamagedError: the file cannot be read or does not fit the format; file and place are named.
        NotSupportedError: it is of another version.
    """
    named = named_file(environ, explicit)
    if named is not None:
        try:
            named.stat()
        except FileNotFoundError:
            origin = "--config" if explicit else "RUNBOOK_CONFIG"
            raise UsageError(f"there is no file {named}", hint=f"{origin} names it") from None
        except OSError as error:  # behind a closed door, or no name of a file at all
            raise DamagedError(f"{named}: cannot be read: {error.strerror}", hint=_READABLE) from None
        return read_config(named, quick=quick)
    found = next((path for path in usual_places(environ) if os.path.lexists(path)), None)
    return Config(None, None, {}) if found is None else read_config(found, quick=quick)


def usual_places(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the file is looked for when nobody names one: the current folder, the person's, the machine's."""
    yield Path("runbook.toml")
    xdg, home = Path(environ.get("XDG_CONFIG_HOME", "")), Path(environ.get("HOME", ""))
    if xdg.is_absolute():
        yield xdg / "engram-runbook" / "runbook.toml"
    elif home.is_absolute():
        yield home / ".config" / "engram-runbook" / "runbook.toml"
    yield Path("/etc/engram-runbook/runbook.toml")


def read_config(path: Path, *, quick: bool = False) -> Config:
    """The configuration in that file; with `quick` only who the nodes are.

    Raises:
        DamagedError: it cannot be read or does not fit the format; file and place are named.
        NotSupportedError: it is of another version.
    """
    document = _parsed(path)
    _check_version(path, document)
    needed = essentials(document) if quick else None
    if needed is not None:
        document = needed
    else:
        _check(path, document)
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100  # a link to the file keeps its own neighbours
    targets = {name: _target(path, folder, name, table) for name, table in document.get("targets", {}).items()}
    default = document.get("default_target")
    if default is not None and default not in targets:
        raise DamagedError(
            f"{path}: default_target: there is no [targets.{default}]", hint=suggestion(default, targets)
        )
    receivers = {name: receiver_of(path, folder, name, table) for name, table in document.get("notify", {}).items()}
    serving = serve_of(f"{path}: serve", folder, document.get("serve", {}))
    return Config(path, default, targets, serving, receivers)


def found_receivers(environ: Mapping[str, str], explicit: Path | None) -> Receivers:
    """Who is to be told, whatever is wrong with the rest of the configuration: found as `load_config` finds it.

    Raises:
        DamagedError: there is no file, or it cannot be read, or is no TOML.
        NotSupportedError: it is of another version.
    """
    path = _found(environ, explicit)
    if path is None:
        return Receivers(None, {}, {})
    document = _parsed(path)
    _check_version(path, document)
    return receivers_of(path, document.get("notify", {}))


def file_with_receivers(environ: Mapping[str, str], explicit: Path | None) -> Path | None:
    """The file in which somebody is to be told; None where nobody is. Whether it reads is for `found_receivers` to say.

    Raises:
        DamagedError: it cannot be read, or is no TOML.
    """
    path = _found(environ, explicit)
    return path if path is not None and _parsed(path).get("notify") else None


def _found(environ: Mapping[str, str], explicit: Path | None) -> Path | None:
    return named_file(environ, explicit) or next(filter(os.path.lexists, usual_places(environ)), None)


def named_file(environ: Mapping[str, str], explicit: Path | None) -> Path | None:
    """The file that the command line or the environment names."""
    return explicit or (Path(environ["RUNBOOK_CONFIG"]) if environ.get("RUNBOOK_CONFIG") else None)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise DamagedError(f"{path}: cannot be read: {error.strerror}", hint=_READABLE) from None
    if len(raw) > _LIMIT_BYTES:
        raise DamagedError(f"{path}: larger than {_LIMIT_BYTES} bytes", hint="is this the right file?")
    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DamagedError(f"{path}: line {line}, byte {error.start}: not UTF-8", hint="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DamagedError(f"{path}: {error}", hint="the format is TOML: https://toml.io") from None
    except RecursionError:
        raise DamagedError(f"{path}: nested too deeply", hint="is this the right file?") from None


def _check(path: Path, document: dict[str, Any]) -> None:
    """Does it fit its schema?"""
    said = document.get("targets")
    targets: dict[str, Any] = said if isinstance(said, dict) else {}
    for name in targets:
        if is_stray(name, targets):
            number, header = header_of(name, path.read_text(encoding="utf-8"))
            place = f"{path}: line {number}" if number else str(path)
            what = f"{header}: there is no target {name}, and this makes one without environment and inventory"
            raise DamagedError(f"{place}: {what}", hint=suggestion(name, whole(targets)))
    if complaint := first_complaint(document):
        raise DamagedError(f"{path}: {complaint.place}: {complaint.what}", hint=complaint.hint)


def _check_version(path: Path, document: Mapping[str, Any]) -> None:
    version = document.get("version")
    if type(version) is int and version != _VERSION:
        raise NotSupportedError(
            f"{path}: version {version} is not supported", hint=f"this release reads version {_VERSION}"
        )


def _target(path: Path, folder: Path, name: str, table: Mapping[str, Any]) -> TargetSettings:
    """One target; the schema has already vouched for the types.

    Raises:
        DamagedError: a length of time is none, or there is no incident of a name.
    """
    prometheus = table.get("prometheus")
    place = f"{path}: targets.{name}"
    return TargetSettings(
        name=name,
        environment=table["environment"],
        inventory=folder / table["inventory"],
        prometheus=None if prometheus is None else prometheus.rstrip("/"),
        token_file=folder / table["token_file"] if "token_file" in table else None,
        allow_plain_http=table.get("allow_plain_http", False),
        rails=rails_of(f"{place}.rails", table["environment"], table.get("rails", {})),
        warm_up=length_of(place, table, "warm_up", WARM_UP),
        automatic=automatic_of(f"{place}.automatic", table.get("automatic", {})),
    )
