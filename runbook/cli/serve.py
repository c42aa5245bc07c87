"""Carry out `runbook serve`: put the parts together, say where it listens, serve until a signal comes."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json_line
from runbook.config import Config, load_config
from runbook.errors import ExitCode
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.serve.app import Parts, application
from runbook.serve.console.routes import routes as console_routes
from runbook.serve.server import listener, serve

LOOPBACK, PORT = "127.0.0.1", 8787
_OPEN = (
    "{host} can be reached from other machines: whoever reaches it reads the journal on the console, and nothing is "
    "encrypted. Put a proxy with TLS and a login in front of it, or serve on 127.0.0.1."
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    host: str | None
    port: int | None
    console: bool
    config: Path | None
    as_json: bool


def serve_until_told(wishes: Wishes) -> ExitCode:
    """Serve; the exit code says which signal ended it.

    Raises:
        UnreachableError: the port is taken, or the address is none of this machine.
        UsageError: there is no such address.
        DamagedError: the configuration does not read.
    """
    current, config = compose.session(), load_config(os.environ, wishes.config)
    host = wishes.host or LOOPBACK
    port = PORT if wishes.port is None else wishes.port
    app = application(Parts(_routes(current, config, wishes)))
    with ScreenTalk() as talk, listener(host, port) as listening:
        if not _is_loopback(host):
            talk.say(_OPEN.format(host=host))
        _announce(host, listening.getsockname()[1], wishes)
        code = serve(app, listening, ())
        talk.say("ended; what was not answered yet is taken up at the next start")
    return code


def _routes(current: Session, config: Config, wishes: Wishes) -> Sequence[BaseRoute]:
    del current, config
    return console_routes(None) if wishes.console else ()


def _announce(host: str, port: int, wishes: Wishes) -> None:
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    data: dict[str, Any] = {"url": url, "pid": os.getpid(), "console": wishes.console, "webhook": False, "acts": []}
    if wishes.as_json:
        show_json_line(envelope("serving", "runbook serve", ExitCode.DONE, data))
        return
    show([line(f"listens on {url}", Style.STRONG)])
    sys.stdout.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
