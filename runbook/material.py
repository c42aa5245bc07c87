"""Finds `playbooks/`, `schemas/`, `deployment/`, ...: beside the package in a checkout, under it in a wheel."""

import json
import re
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from runbook.errors import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

    from runbook.model.migration import Migration

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
def plugin(name: str) -> ModuleType:
    """A file of the plays' collection that knows nothing of Ansible, such as `module_utils/access_log`.

    Raises:
        NotSupportedError: there is none.
    """
    path = folder("playbooks") / "collections/ansible_collections/engram/ops/plugins" / f"{name}.py"
    return _loaded(f"runbook_plugins.{path.stem}", path)


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema document of that name, such as `report.v1`."""
    path = folder("schemas") / f"{name}.schema.json"
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotSupportedError(f"there is no schema {name}", hint=f"looked in {path.parent}") from None
    return document


def fits(name: str, document: object) -> bool:
    """Is it sure that the document fits that schema? Said fast, but not what is wrong: for that ask `jsonschema`."""
    import jsonschema_rs  # noqa: PLC0415  # 10 ms that only those pay who read documents; jsonschema itself costs 90

    try:
        return jsonschema_rs.validator_for(schema(name)).is_valid(document)
    except ValueError:  # a date, or a number past 64 bits: TOML and YAML have them, and JSON does not
        return False


def unfit(name: str, document: object) -> "list[ValidationError]":
    """Every fault of the document by that schema. `$` is the very end of a text, as in `fits` and in JSON Schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 90 ms that only a complaint is worth
    from jsonschema.validators import extend  # noqa: PLC0415 - same

    strict = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # it has no types
    return list(strict(schema(name)).iter_errors(document))


def _pattern(_: Any, wanted: str, found: object, rule: object) -> "Iterator[ValidationError]":
    """As `jsonschema` asks it; but its `$` takes a line's end behind the text for nothing, as `name: |` in YAML has."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - loaded by now

    del rule
    if isinstance(found, str) and not re.search(re.sub(r"\$$", r"\\Z", wanted), found):
        yield ValidationError(f"{found!r} does not match {wanted!r}")


@cache
def migrations() -> "tuple[Migration, ...]":
    """Every migration, in the order of their numbers: the files of `migrations/` that are called mNNNN_....py."""
    return tuple(_migration(path) for path in sorted(folder("migrations").glob("m[0-9][0-9][0-9][0-9]_*.py")))


def migration(target: str) -> "Migration":
    """The newest migration to that kind of archive.

    Raises:
        NotSupportedError: there is none.
    """
    found = [each for each in migrations() if each.target == target]
    if not found:
        known = ", ".join(sorted({each.target for each in migrations()}))
        raise NotSupportedError(f"there is no migration to {target!r}", hint=f"one of: {known}")
    return found[-1]


def _migration(path: Path) -> "Migration":
    found: Migration = _loaded(f"runbook_migrations.{path.stem}", path).MIGRATION
    return found


def _loaded(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise NotSupportedError(f"cannot load {path}", hint="install the package again")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
