"""`[notify.NAME]`: who is told. Each is read by itself, so that a fault elsewhere silences nobody."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.config.complaint import first_complaint
from runbook.errors import DamagedError
from runbook.model.configuration import ReceiverSettings
from runbook.model.notification import USUAL_KINDS, Kind


@dataclass(frozen=True, slots=True)
class Receivers:
    """Those of one configuration: the ones that read, and what is wrong with the others. `path` is the file."""

    path: Path | None
    good: Mapping[str, ReceiverSettings]
    broken: Mapping[str, str]


def receivers_of(path: Path, tables: Any) -> Receivers:
    """Every receiver of the configuration in that file."""
    if not isinstance(tables, dict):
        return Receivers(path, {}, {"notify": f"{path}: notify: must be a table"})
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100  # a link to the file keeps its own neighbours
    good: dict[str, ReceiverSettings] = {}
    broken: dict[str, str] = {}
    for name, table in tables.items():
        complaint = first_complaint({"version": 1, "notify": {name: table}})
        try:
            if complaint is not None:
                raise DamagedError(f"{path}: {complaint.place}: {complaint.what}")  # noqa: TRY301 - told as the next
            good[name] = receiver_of(path, folder, name, table)
        except DamagedError as error:
            broken[name] = error.message
    return Receivers(path, good, broken)


def receiver_of(path: Path, folder: Path, name: str, table: Mapping[str, Any]) -> ReceiverSettings:
    """One receiver; the schema has already vouched for the types.

    Raises:
        DamagedError: it has no URL, or two.
    """
    if ("url" in table) == ("url_file" in table):
        raise DamagedError(
            f"{path}: notify.{name}: needs either url or url_file", hint="url_file, where who knows the URL can post"
        )

    def file(key: str) -> Path | None:
        return folder / table[key] if key in table else None

    template = table.get("template", "plain")
    return ReceiverSettings(
        name=name,
        url=table.get("url", ""),
        url_file=file("url_file"),
        token_file=file("token_file"),
        key_file=file("key_file"),
        header_files={header: folder / value for header, value in table.get("header_files", {}).items()},
        template=str(folder / template) if "." in template or "/" in template else template,
        events=tuple(map(Kind, table["events"])) if "events" in table else USUAL_KINDS,
        targets=tuple(table.get("targets", ())),
        allow_plain_http=table.get("allow_plain_http", False),
    )
