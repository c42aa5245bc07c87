"""What `runbook.toml` says of `runbook serve`, and of what an alert may do by itself."""

import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import runbook.issues
from runbook.config.complaint import suggestion
from runbook.config.rails import length_of
from runbook.errors import DamagedError
from runbook.model.configuration import NOTHING, Automatic, ServeSettings
from runbook.model.risk import Risk


def serve_of(place: str, folder: Path, table: Mapping[str, Any]) -> ServeSettings:
    """`[serve]`; paths are relative to the folder. The schema has vouched for the types.

    Raises:
        DamagedError: a length of time is none.
    """
    usual = ServeSettings()
    file = table.get("webhook_token_file")
    return ServeSettings(
        host=table.get("host", usual.host),
        port=int(table.get("port", usual.port)),  # to JSON Schema 8787.0 is a whole number
        hosts=tuple(table.get("hosts", ())),
        webhook_token_file=None if file is None else folder / file,
        settle=length_of(place, table, "settle", usual.settle),
    )


def automatic_of(place: str, table: Mapping[str, Any]) -> Automatic:
    """`[targets.NAME.automatic]`.

    Raises:
        DamagedError: there is no incident of a name, or a length of time is none.
    """
    if not table:
        return NOTHING
    known = [module.name.replace("_", "-") for module in pkgutil.iter_modules(runbook.issues.__path__)]
    for at, issue in enumerate(table["issues"]):
        if issue not in known:
            raise DamagedError(f"{place}.issues.{at}: there is no incident {issue!r}", hint=suggestion(issue, known))
    return Automatic(
        issues=tuple(table["issues"]),
        max_risk=Risk[table["max_risk"].upper()] if "max_risk" in table else NOTHING.max_risk,
        most_per_day=int(table.get("most_per_day", NOTHING.most_per_day)),
        cool_down=length_of(place, table, "cool_down", NOTHING.cool_down),
    )
