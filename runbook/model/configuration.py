"""What `runbook.toml` says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from runbook.model.notification import USUAL_KINDS, Kind
from runbook.model.rails import NO_RAILS, Rails
from runbook.model.risk import Risk

WARM_UP = timedelta(minutes=5)
"""How long a node fills after its start, where the configuration does not say."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """`[targets.NAME.automatic]`: what an alert may do by itself. Without any of `issues` it may do nothing.

    Steps of a higher risk than `max_risk` are left out; at most `most_per_day` runs begin within 24 hours, each at
    least `cool_down` after the one before it.
    """

    issues: tuple[str, ...] = ()
    max_risk: Risk = Risk.LOW
    most_per_day: int = 3
    cool_down: timedelta = timedelta(hours=1)


NOTHING = Automatic()


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """`[serve]`: where `runbook serve` listens, by which names it may be asked, and what its webhook takes.

    The webhook waits `settle` for more alerts of a target before it diagnoses it.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    hosts: tuple[str, ...] = ()
    webhook_token_file: Path | None = None
    settle: timedelta = timedelta(seconds=5)


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
    automatic: Automatic = NOTHING


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """One `[notify.NAME]`: who is told, how, and of what. Paths are resolved against the file that names them.

    Either `url` or `url_file` is there. `template` is the name of a built-in one, or a path. No `targets` are all.
    """

    name: str
    url: str = ""
    url_file: Path | None = None
    token_file: Path | None = None
    key_file: Path | None = None
    header_files: Mapping[str, Path] = field(default_factory=dict)
    template: str = "plain"
    events: tuple[Kind, ...] = USUAL_KINDS
    targets: tuple[str, ...] = ()
    allow_plain_http: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; `path` is None where there is no file."""

    path: Path | None
    default_target: str | None
    targets: Mapping[str, TargetSettings]
    serve: ServeSettings = field(default_factory=ServeSettings)
    receivers: Mapping[str, ReceiverSettings] = field(default_factory=dict)
