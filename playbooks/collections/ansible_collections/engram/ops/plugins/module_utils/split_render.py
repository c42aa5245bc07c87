"""The nginx configuration of a splitter, as a file for its `http` block; everything in it was checked before.

nginx keeps one table of variables for a request and its mirrored copy, so each kind of call has a log format of its
own, with what it is as plain text in it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.engram.ops.plugins.module_utils.split_values import (
    NAME,
    RATE,
    SALT,
    SPACES,
    STEPS,
    Route,
    Split,
)

RECALL = "/api/v1/memories/recall"
READ_BACK = "/engram-splitter"
FIRST_LINE = "# Written by the play split_traffic: what is changed here by hand is lost when it is run again.\n"
MARK = "# engram-runbook: "
DIGEST = "digest"
LISTEN = "listen"
INPUTS = "inputs"
_LONGEST = 3000
"""Characters of one parameter; nginx takes 4096 bytes at most."""
_SPACE = """\
map $args $engram_query_space {{
    default '{default}';
    '~^(?:.*&)?space=(?<engram_query_value>[^&]+)' $engram_query_value;
}}
map $http_x_memory_space $engram_space {{
    default $http_x_memory_space;
    '' $engram_query_space;
}}
"""
_MIRRORED = """\
map $args $engram_observed {
    default 1;
    '~(?:^|&)observe=' '';
}
map '$request_method:$engram_group:$engram_observed' $engram_mirrored {
    default '';
    '~^GET:control:1$' 1;
}
"""
_FIELDS = (
    '"space":"$engram_space","group":"$engram_group","method":"$request_method","status":"$status",'
    '"seconds":$request_time,"upstream_status":"$upstream_status","upstream_seconds":"$upstream_header_time"'
)
CALLS = ("recall", "mirror", "other")
_HEADERS = """\
{indent}proxy_http_version 1.1;
{indent}proxy_set_header Connection '';
{indent}proxy_set_header Host $host;
{indent}proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
{indent}proxy_set_header X-Memory-Space $engram_space;
{indent}proxy_set_header X-Engram-Group {group};
"""
_TLS = """\
{indent}proxy_ssl_server_name on;
{indent}proxy_ssl_name {name};
{indent}proxy_ssl_verify on;
{indent}proxy_ssl_verify_depth 5;
{indent}proxy_ssl_trusted_certificate {authorities};
"""
_SERVER = """\
server {{
    listen {listen};
    access_log {log} engram_other;
    client_max_body_size 2m;
    proxy_connect_timeout 2s;
    proxy_send_timeout 30s;
    proxy_read_timeout 30s;
{tls}{headers}
    location / {{
        proxy_pass {scheme}://$engram_pool_{place};
    }}
    location = {recall} {{
        access_log {log} engram_recall;
{mirror}        proxy_pass {scheme}://$engram_pool_{place};
    }}
    location /api/v1/admin/ {{
        default_type application/json;
        return 403 '{{"error":{{"code":"FORBIDDEN","message":"not through here","hint":"ask the node itself"}}}}';
    }}
    location = {read_back} {{
        access_log off;
        default_type application/json;
        add_header Cache-Control no-store;
        if ($engram_reader = '') {{
            return 403;
        }}
        if ($http_x_forwarded_for) {{
            return 403;
        }}
        return 200 '{told}';
    }}
"""
_MIRROR = """\
    location = /engram-mirror {{
        internal;
        log_subrequest on;
        access_log {log} engram_mirror if=$engram_mirrored;
        if ($engram_mirrored = '') {{
            return 204;
        }}
{tls}{headers}        proxy_connect_timeout 250ms;
        proxy_send_timeout 500ms;
        proxy_read_timeout 500ms;
        proxy_next_upstream off;
        proxy_pass {scheme}://engram_{place}_mirror{recall}?$args&observe=false;
    }}
"""


def rendered(split: Split) -> str:
    """The whole file. Comments keep what it was made of; its digest is what the running nginx tells of it."""
    digest = hashlib.sha256(_text(split, "").encode()).hexdigest()[:32]
    return _text(split, digest)


def made_of(content: str) -> Mapping[str, Any]:
    """What a file of ours was made of: settings by name, inputs of the inventory, digest. Nothing where it is none."""
    text = "".join(line[len(MARK) :] for line in content.splitlines() if line.startswith(MARK))
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_foreign(content: str) -> bool:
    """Is there something, and nothing of it ours? It is somebody else's, and would be lost."""
    return bool(content.strip()) and not content.startswith(FIRST_LINE) and MARK not in content


def treats_no_more(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Do these settings, by name, treat nobody whom those do not treat? Settings that are not known treat somebody."""
    try:
        if not new[RATE] and not new[SPACES]:
            return True
        named = set(new[SPACES]) <= set(old[SPACES])
        return named and (not new[RATE] or (new[RATE] <= old[RATE] and new[SALT] == old[SALT]))
    except (LookupError, TypeError):
        return False


def _text(split: Split, digest: str) -> str:
    head = {**split.values, LISTEN: split.routes[0].listen, DIGEST: digest, INPUTS: split.inputs}
    told = json.dumps({**split.values, DIGEST: digest})
    pieces = _pieces(told)
    parts = [
        FIRST_LINE,
        *(f"{MARK}{piece}\n" for piece in _pieces(json.dumps(head))),
        _SPACE.format(default=split.default_space),
        *_groups(split),
        _MIRRORED,
        *(_log_format(call) for call in CALLS),
        *_readers(split),
        *(f"map '' $engram_told_{place} {{\n    default '{piece}';\n}}\n" for place, piece in enumerate(pieces)),
    ]
    for place, route in enumerate(split.routes):
        parts += _pools(place, route)
        parts.append(_server(place, route, split, len(pieces)))
    return "".join(parts)


def _pieces(text: str) -> Sequence[str]:
    return [text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)]


def _groups(split: Split) -> Iterator[str]:
    """By the hash, else by name, and never for what is no name of a space."""
    steps = min(max(round(split.rate * STEPS), 0), STEPS)  # as runbook/model/assignment.py
    yield f"split_clients '{split.salt}:$engram_space' $engram_hashed {{\n"
    if 0 < steps < STEPS:
        yield f"    {steps // 100}.{steps % 100:02d}% treatment;\n"
    yield f"    * {'treatment' if steps == STEPS else 'control'};\n}}\n"
    yield "map $engram_space $engram_assigned {\n    default $engram_hashed;\n"
    for names in _alternatives(split.spaces):
        yield f"    '~^(?:{names})$' treatment;\n"
    yield "}\n"
    yield f"map $engram_space $engram_group {{\n    default control;\n    '~^{NAME}$' $engram_assigned;\n}}\n"


def _alternatives(names: Sequence[str]) -> Iterator[str]:
    """Names as one pattern, in as many pieces as nginx takes: its tables of plain texts do not tell A from a."""
    piece = ""
    for name in names:
        escaped = name.replace(".", "\\.")
        if len(piece) + len(escaped) > _LONGEST:
            yield piece
            piece = ""
        piece += f"|{escaped}" if piece else escaped
    if piece:
        yield piece


def _log_format(call: str) -> str:
    return f'log_format engram_{call} escape=json \'{{"time":$msec,"call":"{call}",{_FIELDS}}}\';\n'


def _readers(split: Split) -> Iterator[str]:
    """Who may read the names of spaces; `return` comes before nginx' own allow and deny, so it is asked by hand."""
    own = [route.listen.rpartition(":")[0].strip("[]") for route in split.routes]
    numeric = [each for each in own if each and set(each) <= set("0123456789abcdefABCDEF.:") and each != "0.0.0.0"]  # noqa: S104
    yield "geo $engram_reader {\n    default '';\n"
    for reader in dict.fromkeys(["127.0.0.0/8", "::1", *numeric, *split.readers]):
        yield f"    {reader} 1;\n"
    yield "}\n"


def _pools(place: int, route: Route) -> Iterator[str]:
    yield from _pool(f"engram_{place}_control", route.control, "")
    yield from _pool(f"engram_{place}_treatment", route.treatment, "")
    if route.mirror:  # a pool of its own: a slow copy must not take a server away from the real traffic
        yield from _pool(f"engram_{place}_mirror", route.treatment, " max_fails=0")
    yield f"map $engram_group $engram_pool_{place} {{\n    default engram_{place}_control;\n"
    yield f"    treatment engram_{place}_treatment;\n}}\n"
    if route.control_name:
        yield f"map $engram_group $engram_name_{place} {{\n    default {route.control_name};\n"
        yield f"    treatment {route.treatment_name};\n}}\n"


def _pool(name: str, servers: Sequence[str], options: str) -> Iterator[str]:
    yield f"upstream {name} {{\n"
    for server in servers:
        yield f"    server {server}{options};\n"
    yield "    keepalive 32;\n}\n"


def _server(place: int, route: Route, split: Split, pieces: int) -> str:
    text = _SERVER.format(
        listen=route.listen,
        log=split.log,
        tls=_tls(route, split, f"$engram_name_{place}", 4),
        headers=_HEADERS.format(indent=" " * 4, group="$engram_group"),
        place=place,
        scheme=route.scheme,
        recall=RECALL,
        read_back=READ_BACK,
        mirror=" " * 8 + "mirror /engram-mirror;\n" + " " * 8 + "mirror_request_body off;\n" if route.mirror else "",
        told="".join(f"$engram_told_{piece}" for piece in range(pieces)),
    )
    if route.mirror:
        text += _MIRROR.format(
            log=split.log,
            tls=_tls(route, split, route.treatment_name, 8),
            headers=_HEADERS.format(indent=" " * 8, group="treatment"),
            place=place,
            scheme=route.scheme,
            recall=RECALL,
        )
    return text + "}\n"


def _tls(route: Route, split: Split, name: str, indent: int) -> str:
    if not route.control_name:
        return ""
    return _TLS.format(indent=" " * indent, name=name, authorities=split.authorities)
