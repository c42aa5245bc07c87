"""Tell who started this service that it is up, as systemd's sd_notify(3) has it: one datagram to the socket it names.

So `systemctl restart` fails where a version does not come up, and `playbooks/install_runbook.yml` can take it back.
"""

import socket
from collections.abc import MutableMapping
from contextlib import suppress

_SOCKET = "NOTIFY_SOCKET"
_SECONDS = 1.0


def say_ready(environment: MutableMapping[str, str]) -> None:
    """Say it once, where anybody asked for it. What is started from here on is asked for nothing.

    Whoever does not take it is not waited for: a service works, told or not.
    """
    name = environment.pop(_SOCKET, "")
    if not name:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.settimeout(_SECONDS)
        told.sendto(b"READY=1", "\0" + name[1:] if name.startswith("@") else name)
