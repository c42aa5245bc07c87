"""Which fleet is worked on."""

import os
from collections.abc import Mapping
from pathlib import Path

from runbook.config.complaint import suggestion
from runbook.config.document import read_config
from runbook.errors import UsageError
from runbook.model.configuration import Config, TargetSettings

SANDBOX = "sandbox"
"""The name of the target that a running sandbox adds."""


def choose_target(
    config: Config, environ: Mapping[str, str], state: Path, explicit: str | None, *, quick: bool = False
) -> TargetSettings:
    """The explicit target, else RUNBOOK_TARGET, else the configuration's default, else a running sandbox.

    The sandbox is taken unasked only where there is no configuration file, so that production never becomes
    the sandbox, nor the other way round, by accident.

    Raises:
        UsageError: nothing names a target, or it is empty, or there is none of that name.
        DamagedError: the sandbox's own configuration does not read.
    """
    if explicit == "":  # an unset variable of a script: the default is not what it meant
        raise UsageError("--target is empty", hint="name the fleet, or leave the option out")
    file = sandbox_file(state)
    running = os.path.isfile(file)  # noqa: PTH113  # False, not an error, where the state folder is closed
    fallback = SANDBOX if config.path is None and running else None
    name = explicit or environ.get("RUNBOOK_TARGET") or config.default_target or fallback
    if name is None:
        raise UsageError("no target was named", hint=_how_to_name_one(config))
    if name in config.targets:
        return config.targets[name]
    if name == SANDBOX and running:
        found = read_config(file, quick=quick).targets
        if SANDBOX in found:
            return found[SANDBOX]
    known = {*config.targets, SANDBOX} if running else set(config.targets)
    if name == SANDBOX:
        raise UsageError("no sandbox is running", hint="start one with: runbook sandbox up")
    if not known:
        raise UsageError(f"there is no target {name!r}", hint=_how_to_name_one(config))
    raise UsageError(f"there is no target {name!r}", hint=suggestion(name, known))


def sandbox_file(state: Path) -> Path:
    """The configuration that a running sandbox writes for itself."""
    return state / "sandbox" / "runbook.toml"


def _how_to_name_one(config: Config) -> str:
    if config.targets:
        return f"use --target, one of: {', '.join(sorted(config.targets))}; or set default_target in {config.path}"
    if config.path is not None:
        return f"add a [targets.NAME] to {config.path}"
    return "try it out with `runbook sandbox up`, or write a runbook.toml (docs/reference/configuration.md)"
