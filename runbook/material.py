"""Finds `playbooks/`, `schemas/` and `migrations/`: beside the package in a checkout, under it in a wheel."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from runbook.errors import NotSupportedError

_PACKAGE = Path(__file__).resolve().parent


@cache
def folder(name: str) -> Path:
    """The folder of that name.

    Raises:
        NotSupportedError: it is in neither place; the installation is broken.
    """
    for place in (_PACKAGE / "_material" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise NotSupportedError(f"the folder {name}/ is missing from this installation", hint="install the package again")


def playbook(name: str) -> Path:
    """The playbook of that name, without its ending.

    Raises:
        NotSupportedError: there is none.
    """
    path = folder("playbooks") / f"{name}.yml"
    if not path.is_file():
        raise NotSupportedError(f"there is no playbook {name}.yml", hint=f"looked in {path.parent}")
    return path


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema document of that name, such as `report.v1`."""
    path = folder("schemas") / f"{name}.schema.json"
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotSupportedError(f"there is no schema {name}", hint=f"looked in {path.parent}") from None
    return document
