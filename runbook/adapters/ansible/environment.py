"""The environment of ansible-playbook: what it needs, and nothing of what the caller's shell happens to hold."""

import os
import shutil
import sys
from pathlib import Path

from runbook.adapters.ansible.orphans import MARK
from runbook.errors import NotSupportedError

KEPT = (
    "USER",
    "LOGNAME",
    "TZ",
    "SSH_AUTH_SOCK",  # keys of the person's agent
    "KRB5CCNAME",
    "SSL_CERT_FILE",  # the authority of nodes behind https
    "SSL_CERT_DIR",
)
VAULT = "ANSIBLE_VAULT_PASSWORD_FILE"
"""A path: inventories may be encrypted. A relative one is relative to where the person is, as in Ansible itself."""
SETTINGS = "[defaults]\ninternal_poll_interval = 0.01\n"
"""What Ansible takes from no variable. It asks its workers every 0.001 s by default, which costs 2 % of a core for as
long as a host works on something; 0.01 s cost nothing, and a task at most that much."""
LONGEST_FIRST_LINE = 4096
HINT = "install engram-runbook again, with its dependencies ansible-core and ansible-runner"


def find_ansible() -> Path:
    """The ansible-playbook of this installation, else the first on PATH.

    Raises:
        NotSupportedError: there is none.
    """
    found = shutil.which("ansible-playbook", path=_search_path())
    if found is None:
        raise NotSupportedError("ansible-playbook was not found", hint=HINT)
    return Path(found)


def start_of(ansible: Path) -> list[str]:
    """The words that start it: the script of this very Python by our launcher, which is cheaper; any other as it is."""
    try:
        with ansible.open("rb") as script:
            first = script.readline(LONGEST_FIRST_LINE)
    except OSError:
        return [str(ansible)]
    if first.strip() != b"#!" + os.fsencode(sys.executable) or not os.access(sys.executable, os.X_OK):
        return [str(ansible)]  # pexpect asks the same, and takes a Python that only a capability opens for none
    return [sys.executable, "-P", str(Path(__file__).with_name("launcher.py"))]


def child_environment(folder: Path, collections: Path, mark: str) -> dict[str, str]:
    """All variables of the play's processes. `folder` is the play's private one; `mark` finds the processes again.

    No ansible.cfg is read, neither the working directory's nor the person's: how to connect stands in the inventory,
    so that a play does the same whoever starts it, and wherever.
    """
    home = os.environ.get("HOME", "")
    places = {name: folder / name for name in ("home", "ansible", "tmp")}
    for place in places.values():
        place.mkdir(mode=0o700)
    settings_file = folder / "ansible.cfg"
    settings_file.touch(mode=0o600)
    settings_file.write_text(SETTINGS, encoding="ascii")
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **({VAULT: str(Path(os.environ[VAULT]).expanduser().absolute())} if os.environ.get(VAULT) else {}),
        "PATH": _search_path(),
        "HOME": home if home and os.access(home, os.W_OK | os.X_OK) else str(places["home"]),
        "LANG": "C.UTF-8",  # Ansible refuses to run in any locale but UTF-8
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(places["tmp"]),
        "ANSIBLE_CONFIG": str(settings_file),
        "ANSIBLE_HOME": str(places["ansible"]),
        "ANSIBLE_LOCAL_TEMP": str(places["tmp"]),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "False",
        "ANSIBLE_HOST_KEY_CHECKING": "True",  # ansible-runner would switch it off
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",  # else a broken inventory is a warning
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_JINJA2_NATIVE": "True",  # numbers stay numbers
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        MARK: mark,
    }


def runner_environment(artifacts: str) -> dict[str, str]:
    """The variables by which ansible-runner gets its events."""
    from ansible_runner.utils import get_callback_dir  # noqa: PLC0415 - costs 75 ms; diagnosing goes without

    return {
        "AWX_ISOLATED_DATA_DIR": artifacts,
        "ANSIBLE_CALLBACK_PLUGINS": get_callback_dir(),
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "RUNNER_OMIT_EVENTS": "False",
        "RUNNER_ONLY_FAILED_EVENTS": "False",
    }


def _search_path() -> str:
    """This Python's own folder first: its environment need not be active."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH") or os.defpath])
