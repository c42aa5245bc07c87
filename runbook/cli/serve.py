"""Carry out `runbook serve`: put the parts together, say where it listens, serve until a signal comes."""

import os
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from runbook.adapters.readiness import say_ready
from runbook.cli import compose
from runbook.cli.screen import ScreenTalk, show, show_json_line
from runbook.cli.serve_parts import Scene, parts
from runbook.errors import ExitCode
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.serve.server import listener, serve
from runbook.serve.webhook import endpoint
from runbook.serve.webhook.credential import Credential
from runbook.serve.work.targets import ConfiguredTargets

_OPEN = (
    "warning: {host} can be reached from other machines. Whoever reaches it reads the journal on the console, and "
    "nothing is encrypted. Put a proxy with TLS and a login in front of it, or serve on 127.0.0.1."
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
        UsageError: there is no such address, or the webhook's token file cannot be used.
        RefusedError: others may read the webhook's token file.
        DamagedError: the configuration does not read.
    """
    current = compose.session()
    current.telling.config = wishes.config
    targets = ConfiguredTargets(os.environ, wishes.config, current.state)
    said = targets.config().serve
    host = wishes.host or said.host
    credential = None if said.webhook_token_file is None else Credential(said.webhook_token_file)
    if credential is not None:
        credential.refresh()
    with ScreenTalk() as talk, listener(host, said.port if wishes.port is None else wishes.port) as listening:
        if not _is_loopback(host):
            talk.say(_OPEN.format(host=host))
        scene = Scene(current, targets, said, host, credential, wishes.console, wishes.config, talk)
        _announce(host, listening.getsockname()[1], wishes, scene)
        code = serve(lambda: parts(scene), listening, lambda: say_ready(os.environ))
        talk.say("ended; what was not answered yet is taken up at the next start")
    return code


def _announce(host: str, port: int, wishes: Wishes, scene: Scene) -> None:
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    automatic = {name: each.automatic for name, each in scene.targets.config().targets.items() if each.automatic.issues}
    webhook = scene.credential is not None
    if wishes.as_json:
        data = {
            "url": url,
            "pid": os.getpid(),
            "console": wishes.console,
            "webhook": webhook,
            "acts": sorted(automatic),
        }
        show_json_line(envelope("serving", "runbook serve", ExitCode.DONE, data))
        return
    show([line(f"listens on {url}", Style.STRONG)])
    state = "takes alerts" if webhook else "off: [serve] webhook_token_file names no token"
    show([line(f"webhook  {url}{endpoint.PATH}  {state}")])
    for name, each in sorted(automatic.items()):
        what = f"{', '.join(each.issues)} up to risk {each.max_risk.name.lower()}"
        show([line(f"acts by itself on {name}: {what}, {each.most_per_day} times a day at most", Style.UNSURE)])
    sys.stdout.flush()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
