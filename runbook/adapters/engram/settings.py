"""What a node runs with: from its admin side, else from its metrics."""

from http import HTTPStatus
from typing import Any

from runbook.adapters.engram.client import Client
from runbook.errors import UsageError
from runbook.model.settings import CATALOGUE, Kind, Settings, Type, Value, checked
from runbook.model.target import Node, Way
from runbook.wire import ForeignMetricsError, NoReplyError, readings

_PATHS = {Kind.FEATURE: "/api/v1/admin/features", Kind.CONFIG: "/api/v1/admin/config"}
_METRICS = {Kind.FEATURE: "engram_feature_enabled", Kind.CONFIG: "engram_config_value"}
_NOT_TOLD = "reading settings is not supported by this node: it has no flags and no configuration at run time"
_NONE_KNOWN = "reading settings is not supported by this node: it has none that this tool knows"


def read_settings(client: Client, node: Node) -> Settings:
    """The settings of the catalogue that the node tells of. What it does not tell, or what does not fit, is missing.

    Raises:
        NoReplyError: it does not answer, answers nonsense, or has no way to tell.
        RefusedError: the token is not kept as it must be.
    """
    found: dict[str, Value] = {}
    missing: list[Kind] = []
    for kind, path in _PATHS.items():
        try:
            found |= _of_document(client.get(node, path).json(), kind)
        except NoReplyError as error:
            if error.status != HTTPStatus.NOT_FOUND and not _has_no_admin_side(node, error):
                raise
            missing.append(kind)
    if missing:
        found |= _of_metrics(client, node, missing)
    if not found:
        told = _NOT_TOLD if len(missing) == len(_PATHS) else _NONE_KNOWN
        raise NoReplyError(told, status=HTTPStatus.NOT_FOUND)
    return found


def _has_no_admin_side(node: Node, error: NoReplyError) -> bool:
    """A server that is changed by its settings file, and has no token, refuses us where it has nothing to refuse."""
    refused = error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return refused and node.way is Way.FILE and node.token_file is None


def _of_document(document: Any, kind: Kind) -> Settings:
    if not isinstance(document, dict):
        raise NoReplyError("answered with JSON that is no object")
    pairs = ((key, _fitting(key, kind, value)) for key, value in document.items())
    return {key: value for key, value in pairs if value is not None}


def _of_metrics(client: Client, node: Node, kinds: list[Kind]) -> Settings:
    """Older nodes without the admin paths still show in their metrics what they run with."""
    try:
        reply = client.get(node, "/metrics/prometheus", admin=False)
    except NoReplyError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return {}
        raise
    try:
        told = readings(reply, [_METRICS[kind] for kind in kinds])
    except ForeignMetricsError:  # nothing there is a setting of ours, so nothing is said of any
        return {}
    found: dict[str, Value] = {}
    for kind in kinds:
        for reading in (each for each in told if each.name == _METRICS[kind]):
            key = dict(reading.labels).get("name", "")
            value = _fitting(key, kind, _typed(key, reading.value))
            if value is not None:
                found[key] = value
    return found


def _fitting(key: str, kind: Kind, value: Any) -> Value | None:
    """The value in its setting's type, or None for what this tool does not know."""
    setting = CATALOGUE.get(key)
    if setting is None or setting.kind is not kind:
        return None
    try:
        return checked(setting, value)
    except UsageError:
        return None


def _typed(key: str, value: float) -> Any:
    """A metric's number as what it stands for."""
    match CATALOGUE[key].type if key in CATALOGUE else None:
        case Type.BOOLEAN:
            return {0.0: False, 1.0: True}.get(value)
        case Type.INTEGER:
            return int(value) if value.is_integer() else None
        case Type.NUMBER:
            return value
        case _:
            return None
