"""Settings, metrics and variables: names that are told by how they look."""

import re
from collections.abc import Iterator

from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Piece, Where
from runbook.engine.check.named import FILE_ENDINGS, Kind, Named, among, nearest

_SETTING = re.compile(r"(?<![\w./-])dual_memory\.([a-z_]+)(?![\w(/])")
_METRIC = re.compile(
    r"(?<![\w./$:-])((?:engram|process|python_gc)_[a-z0-9_]*[a-z0-9])(\*|_\*)?(?![\w/(:]|\.[a-z])(\{[^{}]*\}|\[)?"
)
_MEASURED = re.compile(
    r".*_(?:total|seconds|bytes|ratio|bucket|count|sum|info|share|ms|state|rate|fds|milliseconds|percent|entries)"
)
_STANDARD = re.compile(r"(?:process|python_gc)_.*_(?:total|seconds|bytes|fds)")
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_ANYWHERE = frozenset(
    {
        "cluster",
        "container",
        "env",
        "environment",
        "instance",
        "job",
        "le",
        "namespace",
        "node",
        "pod",
        "service",
        "target",
    }
)
"""Labels that the scrape adds, or a histogram's own."""
_VARIABLE = re.compile(r"(?<![\w./$-])(engram_[a-z_]*[a-z])(?=\s*[:=](?!=))")
_ENVIRONMENT = re.compile(r"(?<!\w)_?RUNBOOK_[A-Z][A-Z_]*[A-Z](?!\w)")
_INVENTORIES = frozenset({"ini", "yaml", "yml"})
_NO_METRICS = ("engram_runbook", "engram_core", "engram_cli", "engram_key", "engram_storage")
_PROGRAMS = frozenset(
    {"c", "cpp", "go", "java", "javascript", "js", "py", "python", "rs", "rust", "toml", "ts", "typescript"}
)


def names_of_settings(piece: Piece, known: Known) -> Iterator[Named]:
    """`dual_memory.KEY`, anywhere."""
    for found in _SETTING.finditer(piece.text):
        if found.group(1) not in FILE_ENDINGS:
            yield among(Kind.SETTING, found.group(), piece.line, known.settings)


def names_of_variables(piece: Piece, known: Known) -> Iterator[Named]:
    """What an inventory says of a node, and what the environment says to the command."""
    if piece.where is Where.PROSE:
        return
    if piece.language in _INVENTORIES:
        for found in _VARIABLE.finditer(piece.text):
            yield among(Kind.VARIABLE, found.group(1), piece.line, known.variables)
    for found in _ENVIRONMENT.finditer(piece.text):
        yield among(Kind.ENVIRONMENT, found.group(), piece.line, known.environment)


def names_of_metrics(piece: Piece, known: Known, *, own: bool) -> Iterator[Named]:
    """Metrics, and the labels that they are asked for."""
    series = known.series
    for found in _METRIC.finditer(piece.text):
        name, many, labels = found.groups()
        if many:
            exists = any(each.startswith(name) for each in series)
            yield Named(Kind.METRIC, name + many, piece.line, exists, "" if exists else nearest(name, series))
        elif name in series:
            yield Named(Kind.METRIC, name, piece.line)
            yield from _labels(name, labels or "", series[name] | _ANYWHERE, piece.line)
        elif name not in known.variables and _looks_like_one(name, bool(labels), piece, known, own=own):
            yield among(Kind.METRIC, name, piece.line, (*series, *known.variables))


def _looks_like_one(name: str, selected: bool, piece: Piece, known: Known, *, own: bool) -> bool:  # noqa: FBT001  # internal
    if name.startswith(_NO_METRICS) or (piece.language in _INVENTORIES and re.search(rf"{name}\s*[:=]", piece.text)):
        return False
    if not name.startswith("engram_"):
        return bool(_STANDARD.fullmatch(name) or nearest(name, known.series, cutoff=0.9))
    if selected or _MEASURED.fullmatch(name) or nearest(name, known.series, cutoff=0.9):
        return True
    code = piece.where is not Where.PROSE and piece.language not in _PROGRAMS
    return code and (own or piece.text.strip() == name)


def _labels(metric: str, selector: str, labels: frozenset[str], line: int) -> Iterator[Named]:
    for found in _LABEL.finditer(selector):
        name = found.group(1)
        exists = name in labels
        yield Named(
            Kind.LABEL, f"{metric}{{{name}}}", line, exists, "" if exists else nearest(name, labels), "no such label"
        )
