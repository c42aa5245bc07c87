"""What `runbook.toml` says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.model.rails import NO_RAILS, Rails

WARM_UP = timedelta(minutes=5)
"""How long a node fills after its start, where the configuration does not say."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One `[targets.NAME]`. Paths are resolved against the file that names them.

    `prometheus` is the base URL of the source of metrics, without a slash at its end.
    """

    name: str
    environment: str
    inventory: Path
    prometheus: str | None = None
    token_file: Path | None = None
    allow_plain_http: bool = False
    rails: Rails = NO_RAILS
    warm_up: timedelta = WARM_UP


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; `path` is None where there is no file."""

    path: Path | None
    default_target: str | None
    targets: Mapping[str, TargetSettings]
