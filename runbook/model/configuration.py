"""What `runbook.toml` says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; `path` is None where there is no file."""

    path: Path | None
    default_target: str | None
    targets: Mapping[str, TargetSettings]
