"""A node's settings as a file: TOML, one table, as `[dual_memory]` with `enable_concepts = false` in it."""

import tomllib
from pathlib import Path

from runbook.errors import UsageError
from runbook.model.settings import Value, checked, setting_of


def read_settings(path: Path) -> dict[str, Value]:
    """The settings that stand in the file, checked, by their whole names; those it leaves out are not in it.

    Raises:
        UsageError: it cannot be read, is not TOML, or a setting in it is unknown or out of range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the settings in {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}", hint="[dual_memory], and below it: NAME = VALUE") from error
    found: dict[str, Value] = {}
    for table, settings in document.items():
        if not isinstance(settings, dict):
            raise UsageError(f"{path}: {table} stands in no table", hint="put it below a line [dual_memory]")
        for name, value in settings.items():
            try:
                setting = setting_of(f"{table}.{name}")
                found[setting.key] = checked(setting, value)
            except UsageError as error:
                raise UsageError(f"{path}: {error.message}", hint=error.hint) from None
    return found
