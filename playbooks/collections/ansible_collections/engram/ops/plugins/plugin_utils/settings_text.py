"""A settings file as text: TOML, one value of it read or replaced, everything else as it was, comments too."""

from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError


class SettingsText:
    """The content of one settings file; a setting's key is its table and its name, split at the first dot.

    Raises:
        WayError: it is not TOML, or tomlkit is missing in the controller.
    """

    def __init__(self, content: bytes, path: str) -> None:
        try:
            import tomlkit  # noqa: PLC0415 - only the way over a file needs it
        except ImportError:
            what = "the way over a settings file takes the Python package tomlkit beside Ansible"
            raise WayError(f"{what}: pip install tomlkit", "usage") from None
        self._kit, self._path = tomlkit, path
        try:
            self._text = content.decode("utf-8")
            self._values: dict[str, Any] = tomlkit.parse(self._text).unwrap()
        except (ValueError, RecursionError) as problem:
            raise WayError(f"{path} is not TOML: {problem}", "usage") from None

    def value(self, key: str) -> Any:
        """The value that stands there, or None."""
        table, _, name = key.partition(".")
        settings = self._values.get(table, {})
        if not isinstance(settings, dict):
            raise WayError(f"{self._path}: {table} is no table", "usage")
        return settings.get(name)

    def keys(self, table: str) -> list[str]:
        """The keys of the settings that stand in that table."""
        settings = self._values.get(table)
        return [f"{table}.{name}" for name in settings] if isinstance(settings, dict) else []

    def with_value(self, key: str, value: Any) -> bytes:
        """The content with that value in it, and nothing else changed.

        Raises:
            WayError: it could not be written so that it reads as meant.
        """
        table, _, name = key.partition(".")
        document = self._kit.parse(self._text)
        if table not in document:
            document[table] = self._kit.table()
        document[table][name] = value
        wanted = {**self._values, table: {**self._values.get(table, {}), name: value}}
        text = self._kit.dumps(document)
        if self._kit.parse(text).unwrap() != wanted:
            raise WayError(f"{self._path}: {key} cannot be written without changing something else", "usage")
        return text.encode("utf-8")
