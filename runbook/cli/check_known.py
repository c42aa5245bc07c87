"""What there is to be named, gathered from where it is: the command line, the catalogue, the material, the sources."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

import runbook
from runbook.cli.root import cli
from runbook.engine.alerts.keeping import TARGET_LABELS
from runbook.engine.check import Argument, CommandTree, Known, Option
from runbook.errors import MEANINGS
from runbook.material import folder, schema
from runbook.model.contract import METRICS
from runbook.model.journal import Event
from runbook.model.settings import CATALOGUE
from runbook.sandbox.faults.collection import available

PACKAGE = Path(runbook.__file__).resolve().parent
_VARIABLE = re.compile(r"\bengram_[a-z]+(?:_[a-z]+)*\b")
_ENVIRONMENT = re.compile(r"""["'](_?RUNBOOK_[A-Z_]+)["']""")
_OPTION = re.compile(r'"(--[a-z-]+)"')
_INPUT = re.compile(r"\{\{\s*([a-z_]+)")


def known() -> Known:
    """Everything that exists in this installation."""
    faults = frozenset(available())
    return Known(
        commands=_tree(cli, click.Context(cli, info_name="runbook"), faults),
        settings=frozenset(CATALOGUE),
        playbooks={path.stem: _inputs(path) for path in folder("playbooks").glob("*.yml")},
        exit_codes=frozenset(int(code) for code in MEANINGS),
        variables=frozenset((*_variables(), TARGET_LABELS[0])),
        environment=frozenset(name for path in PACKAGE.rglob("*.py") for name in _ENVIRONMENT.findall(_text(path))),
        events=frozenset(event.value for event in Event),
        faults=faults,
        configuration=schema("config.v1"),
        node_options=frozenset(_OPTION.findall(_text(PACKAGE / "sandbox" / "node.py"))),
    )


def _tree(command: click.Command, context: click.Context, faults: frozenset[str]) -> CommandTree:
    options = {}
    arguments = []
    for each in command.get_params(context):
        if isinstance(each, click.Option):
            found = Option(takes_value=not (each.is_flag or each.count), choices=_choices(each))
            options.update(dict.fromkeys((*each.opts, *each.secondary_opts), found))
        else:
            named = each.name or ""
            choices = tuple(sorted(faults)) if named == "fault" else _choices(each)
            arguments.append(Argument(named, choices, many=each.nargs == -1))
    children = {}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                children[name] = _tree(child, click.Context(child, info_name=name, parent=context), faults)
    return CommandTree(context.command_path, options, tuple(arguments), children)


def _choices(parameter: click.Parameter) -> tuple[str, ...]:
    kind = parameter.type
    return tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else ()


def _inputs(playbook: Path) -> frozenset[str]:
    """What its templates ask for, and what it declares."""
    text = _text(playbook)
    declared = [name for play in yaml.safe_load(text) or [] for name in (play.get("vars") or {})]
    return frozenset((*declared, *_INPUT.findall(text)))


def _variables() -> Iterator[str]:
    """What readers of inventories and plays ask a host for."""
    metrics = {name for metric in METRICS.values() for name in (metric.name, *metric.series)}
    plays = folder("playbooks")
    for path in (*(PACKAGE / "adapters").rglob("inventory/*.py"), *plays.rglob("*.py"), *plays.glob("*.yml")):
        yield from set(_VARIABLE.findall(_text(path))) - metrics


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
