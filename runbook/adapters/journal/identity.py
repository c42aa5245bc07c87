"""Who types, and on which machine: what every entry of the journal says."""

import os
import pwd
from collections.abc import Mapping


def invoking_user(environment: Mapping[str, str]) -> str:
    """The person's user name: the one who called sudo, else the owner of this process."""
    sudo_user = environment.get("SUDO_USER")
    if sudo_user:
        return sudo_user
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's uid has no name
        return environment.get("LOGNAME") or f"uid {os.getuid()}"


def machine() -> str:
    """The name of this machine."""
    return os.uname().nodename
