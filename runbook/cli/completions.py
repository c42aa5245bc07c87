"""What the shell offers at Tab: names of settings, nodes and targets. It must be quick, and must never fail."""

from collections.abc import Callable
from pathlib import Path

import click

from runbook.errors import RunbookError
from runbook.model.setting_names import names_of, short
from runbook.model.settings import CATALOGUE, Kind, Type

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def complete_keys(kind: Kind) -> Complete:
    """Names of settings: whole ones, or short ones where that is how it begins."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        del ctx, param
        return _keys(kind, incomplete)

    return complete


def complete_assignments(kind: Kind) -> Complete:
    """A name, and behind a name `true` and `false` where that is what it takes."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        said = list(ctx.params.get(param.name or "") or ())
        waits = False
        for word in said:
            waits = not waits and "=" not in word
        if not waits:
            return _keys(kind, incomplete)
        key = next((key for key in names_of(kind) if said[-1] in {key, short(key)}), None)
        words = ["true", "false"] if key is not None and CATALOGUE[key].type is Type.BOOLEAN else []
        return [word for word in words if word.startswith(incomplete)]

    return complete


def complete_nodes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The nodes of the target that the command line names so far."""
    del param
    from runbook.cli import compose

    try:
        target = compose.target_of(compose.session(), ctx.params.get("target"), _config_of(ctx))
    except RunbookError:
        return []
    return [node.name for node in target.nodes if node.name.startswith(incomplete)]


def complete_targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The targets of the configuration."""
    del param
    import os

    from runbook.config import load_config

    try:
        found = load_config(os.environ, _config_of(ctx)).targets
    except RunbookError:
        return []
    return sorted(name for name in found if name.startswith(incomplete))


def _keys(kind: Kind, incomplete: str) -> list[str]:
    names = names_of(kind)
    whole = [name for name in names if name.startswith(incomplete)]
    return whole or [short(name) for name in names if short(name).startswith(incomplete)]


def _config_of(ctx: click.Context) -> Path | None:
    found = ctx.params.get("config")
    return Path(found) if found else None
