"""What stands around this tool in production, asked whether it is there: its server, and the rules of Prometheus."""

from collections.abc import Mapping

from runbook.errors import UnreachableError
from runbook.wire import NoReplyError, Wire

_SECONDS = 3.0
_LIMIT_BYTES = 8 << 20


def server_at(url: str) -> None:
    """`runbook serve` answers there.

    Raises:
        UnreachableError: it does not, or something else does.
    """
    try:
        reply = _wire().exchange("GET", f"{url}/health").checked()
    except NoReplyError as error:
        raise UnreachableError(f"{url}: {error.message}", hint="start it: runbook serve") from None
    if reply.body.strip() != b"up":
        raise UnreachableError(f"{url}: something else answers there", hint="see [serve] port in runbook.toml")


def alerts_of(prometheus: str) -> frozenset[str]:
    """The names of all alerts that Prometheus has loaded.

    Raises:
        UnreachableError: it does not answer, or not as Prometheus does.
    """
    try:
        document = _wire().exchange("GET", f"{prometheus}/api/v1/rules?type=alert").checked().json()
        groups = document["data"]["groups"]
        return frozenset(rule["name"] for group in groups for rule in group["rules"] if isinstance(rule, Mapping))
    except NoReplyError as error:
        raise UnreachableError(f"Prometheus at {prometheus}: {error.message}", hint="is it running?") from None
    except (KeyError, TypeError):
        raise UnreachableError(f"Prometheus at {prometheus} tells no rules", hint="is it a Prometheus?") from None


def _wire() -> Wire:
    return Wire(connect=_SECONDS, read=_SECONDS, total=2 * _SECONDS, limit_bytes=_LIMIT_BYTES)
