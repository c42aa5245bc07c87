"""The node accepts a setting, answers as if it had taken it on, and goes on as before."""

from collections.abc import Mapping
from typing import Any

from runbook.model.settings import CATALOGUE, Kind
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, choice, known_only

_TUNABLES = [key for key, setting in CATALOGUE.items() if setting.kind is Kind.CONFIG]


class Injected(Fault):
    """`key`: only this tunable is ignored; every setting where it is not given."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "key")
        self._key = choice(parameters, "key", "", "", *_TUNABLES)

    def ignores_setting(self, key: str) -> bool:
        """Is it the one, or are all meant?"""
        return self._key in {"", key}
