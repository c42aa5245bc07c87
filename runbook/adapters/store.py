"""Documents in the state folder: baselines, checked against their schema whenever they come or go; evidence of runs."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import private_folder, read_document, safe_name, write_atomic
from runbook.archive.golden_document import golden_document, golden_of
from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.material import fits, unfit
from runbook.model.evidence import Kept
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.settings import CATALOGUE, Settings, checked

VERSION = 1
_HINT = "capture a new one with: runbook baseline capture"


class FileStore:
    """`Store` in a state folder, `baselines/<target>.json`, and the shelf of what runs collected."""

    def __init__(self, folder: Path) -> None:
        self._baselines = folder / "baselines"
        self._runs = folder / "runs"

    def keep(self, run: str, name: str, document: Mapping[str, Any]) -> Kept:
        """Keep a document of a run, `runs/<run>/<name>.json`; where, and its digest.

        Raises:
            StorageError: the disk refused.
            UsageError: the run or the name cannot be a file's.
        """
        folder = self._runs / safe_name(run, "run")
        data = json.dumps(document, indent=2).encode() + b"\n"  # orjson refuses numbers that a host may well tell
        path = folder / f"{safe_name(name, 'document')}.json"
        private_folder(self._runs)
        private_folder(folder)
        write_atomic(path, data)
        return Kept(str(path), hashlib.sha256(data).hexdigest())

    def save_baseline(self, baseline: Baseline) -> str:
        """Keep it as the target's baseline; where it is kept.

        Raises:
            StorageError: the disk refused.
            UsageError: the target's name cannot be a file's.
            DamagedError: the baseline itself is not valid (a value is not finite, say); nothing is kept.
        """
        path = self._path(baseline.target)
        data = orjson.dumps(_document(baseline), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        _read(data, path)
        private_folder(self._baselines)
        write_atomic(path, data)
        return str(path)

    def load_baseline(self, target: str) -> Baseline | None:
        """The target's baseline, or None where none was ever captured.

        Raises:
            DamagedError: it does not fit its schema, or is another target's; the place is named.
            NotSupportedError: it is of another version.
            StorageError: it cannot be read.
            UsageError: the target's name cannot be a file's.
        """
        path = self._path(target)
        data = read_document(path)
        if data is None:
            return None
        baseline = _read(data, path)
        if baseline.target != target:
            raise DamagedError(f"{path}: target: it is the baseline of {baseline.target!r}", hint=_HINT)
        return baseline

    def _path(self, target: str) -> Path:
        return self._baselines / f"{safe_name(target, 'target')}.json"


def _document(baseline: Baseline) -> dict[str, Any]:
    return {
        "version": VERSION,
        "kind": "baseline",
        "target": baseline.target,
        "captured_at": baseline.captured_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "window_seconds": baseline.window_seconds,
        **({} if baseline.pause_seconds is None else {"pause_seconds": baseline.pause_seconds}),
        "nodes": {
            name: {
                "quantities": dict(node.quantities),
                "settings": dict(node.settings),
                "reaches": dict(node.reaches),
                "histograms": {name: _counts(counts) for name, counts in node.histograms.items()},
            }
            for name, node in baseline.nodes.items()
        },
        **({} if baseline.golden is None else {"golden": golden_document(baseline.golden)}),
    }


def _read(data: bytes, path: Path) -> Baseline:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"{path}: line {error.lineno}, byte {error.pos}: {error.msg}", hint=_HINT) from None
    _check(document, path)
    try:
        captured_at = datetime.fromisoformat(document["captured_at"])
    except ValueError as error:
        raise DamagedError(f"{path}: captured_at: {error}", hint=_HINT) from None
    try:
        nodes = {
            name: NodeBaseline(
                node["quantities"],
                _settings(node["settings"]),
                node.get("reaches", {}),
                {metric: _histogram(counts) for metric, counts in node.get("histograms", {}).items()},
            )
            for name, node in document["nodes"].items()
        }
    except UsageError as error:
        raise DamagedError(f"{path}: {error.message}", hint=_HINT) from None
    try:
        golden = golden_of(document["golden"]) if "golden" in document else None
    except ValueError as error:
        raise DamagedError(f"{path}: golden: {error}", hint=_HINT) from None
    pause = document.get("pause_seconds")
    return Baseline(document["target"], captured_at, document["window_seconds"], nodes, golden, pause)


def _check(document: Any, path: Path) -> None:
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != VERSION:
        raise NotSupportedError(f"{path} is a baseline of version {version}; this tool reads {VERSION}", hint=_HINT)
    if fits("baseline.v1", document):
        return
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - 90 ms that only a complaint is worth

    error = best_match(unfit("baseline.v1", document))
    if error is not None:
        place = error.json_path.removeprefix("$").removeprefix(".") or "the document"
        raise DamagedError(f"{path}: {place}: {error.message}", hint=_HINT)


def _counts(histogram: Mapping[float, float]) -> list[list[float | None]]:
    """JSON has no infinity: the last bound is null."""
    return [[bound if math.isfinite(bound) else None, count] for bound, count in sorted(histogram.items())]


def _histogram(counts: list[list[float | None]]) -> dict[float, float]:
    return {math.inf if bound is None else float(bound): float(count or 0.0) for bound, count in counts}


def _settings(found: dict[str, Any]) -> Settings:
    known = {key: value for key, value in found.items() if key in CATALOGUE}
    return {key: checked(CATALOGUE[key], value) for key, value in known.items()}
