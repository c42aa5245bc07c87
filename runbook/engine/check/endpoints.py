"""Endpoints: `METHOD /path`, the URLs of `curl`, and paths alone."""

import re
from collections.abc import Iterator

from runbook.engine.check.known import Known
from runbook.engine.check.markdown import Piece, Where
from runbook.engine.check.named import Kind, Named, nearest
from runbook.model.contract import Endpoint

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_WORD = "|".join(_METHODS)
_PATH = re.compile(
    rf"(?:(?<!\w)(?P<methods>(?:{_WORD})(?:\s*[,/|]\s*(?:{_WORD}))*)\s+)?"
    r"(?P<host>https?://[^\s/\"'`]+|(?<![\w.:/@-])[\w.-]+:\d{2,5}|[\"']?\$\{?\w+\}?[\"']?|(?<![\w./:~}>*-]))"
    r"(?P<path>/api/v\d+/(?:\{[^{}\s]*\}|[^\s\"'`?#,;|)&\\\[\]])*|/(?:health|metrics)(?:/[\w{}<>-]+)*/?(?![\w./*-]))"
)
_CURL = re.compile(rf"(?:-X\s*|--request[ =])[\"']?({_WORD})")
_CURL_BODY = re.compile(r"\s(?:-d|--data(?:-\w+)?|--json)[\s=]")
_PROMETHEUS = re.compile(
    r"/api/v1/(?:query|query_range|query_exemplars|series|labels?|targets|rules|alerts|metadata|status|write|read|admin/tsdb)"
    r"(?:/.*)?|/api/v1/(?:namespaces|nodes|pods)(?:/.*)?"
)
"""Prometheus's own API, and Kubernetes's."""
_OUR_HOST = re.compile(
    r"https?://(?:localhost|127\.|\[::1\]|\$|[\w.{}<>-]*(?:node|engram|host)[\w.{}<>-]*|(?-i:[A-Z_<{]))", re.IGNORECASE
)
_VARIABLE_PART = re.compile(r"\{[^/]*\}|<[^/]*>|\$\{?\w+\}?|:\w+|[A-Z][A-Z_0-9]*|\*|…|\.\.\.|%s")


def names_of_endpoints(piece: Piece, known: Known) -> Iterator[Named]:
    """Paths of a node, each with every method that is named with it."""
    for found in _PATH.finditer(piece.text):
        path = found["path"].rstrip(".:]*_").rstrip("/") if not found["path"].endswith("...") else found["path"]
        if _of_others(found["host"].strip("\"'"), path) or (piece.where is Where.PROSE and "/api/" not in path):
            continue
        methods = re.findall(r"\w+", found["methods"] or "") or _of_curl(piece.text)
        for each in _spelled_out(path):
            for method in methods or [""]:
                yield from _named(method, each, piece.line, known)


def _spelled_out(path: str) -> list[str]:
    """`/a/{b,c}` is `/a/b` and `/a/c`."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", path)
    if found is None:
        return [path]
    return [path[: found.start()] + each.strip() + path[found.end() :] for each in found.group(1).split(",")]


def _of_others(host: str, path: str) -> bool:
    """Is it another server's address? `runbook serve` is no node, either."""
    if any(each in host.lower() for each in ("prometheus", "grafana", ":9090", ":9093", ":8787")):
        return True
    if path.startswith("/api/"):
        return _PROMETHEUS.fullmatch(path) is not None and ":7432" not in host
    address = host if host.startswith("http") or not re.search(r":\d+$", host) else f"http://{host}"
    return address.startswith("http") and _OUR_HOST.match(address) is None


def _of_curl(text: str) -> list[str]:
    if "curl" not in text:
        return []
    said = _CURL.search(text)
    if said:
        return [said.group(1)]
    return ["POST"] if _CURL_BODY.search(text) else ["GET"]


def _named(method: str, path: str, line: int, known: Known) -> Iterator[Named]:
    name = f"{method} {path}".strip()
    begin = path.rstrip(".…").rstrip("/")
    if begin != path or (not method and path.startswith("/api/")):
        exists = any(each.path.startswith(f"{begin}/") for each in known.endpoints)
        if exists or begin != path:  # all that is under it
            yield Named(Kind.ENDPOINT, name, line, exists)
            return
    there = [each for each in known.endpoints if _fits(path, each.path)]
    fitting = [each for each in there if not method or method in each.methods or method in {"OPTIONS", "HEAD"}]
    if not fitting:
        meant = _nearest(path, there or list(known.endpoints))
        yield Named(Kind.ENDPOINT, name, line, exists=False, meant=meant, note="no such method" if there else "")
    elif fitting[0].planned:
        yield Named(Kind.ENDPOINT, name, line, exists=False, note="planned for a later release")
    else:
        yield Named(Kind.ENDPOINT, name, line)
        yield from _fault(path, line, known)


def _fault(path: str, line: int, known: Known) -> Iterator[Named]:
    found = re.fullmatch(r"/api/v1/admin/chaos/([a-z-]+)", path)
    if found and found.group(1) not in known.faults:
        meant = nearest(found.group(1), known.faults)
        yield Named(Kind.FAULT, found.group(1), line, exists=False, meant=meant)


def _fits(path: str, template: str) -> bool:
    parts, expected = path.split("/"), template.split("/")
    if len(parts) != len(expected):
        return False
    return all(
        each == there or there.startswith("{") or _VARIABLE_PART.fullmatch(each)
        for each, there in zip(parts, expected, strict=True)
    )


def _nearest(path: str, endpoints: list[Endpoint]) -> str:
    by_path = {each.path: each for each in endpoints if not each.planned}
    found = by_path.get(nearest(path, by_path, cutoff=0.5)) or (
        next(iter(by_path.values()), None) if len(by_path) == 1 else None
    )
    return f"{', '.join(found.methods)} {found.path}" if found else ""
