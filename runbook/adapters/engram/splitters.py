"""What a splitter splits by: the running nginx tells it itself, in the words of a node."""

from collections.abc import Mapping
from http import HTTPStatus

from runbook.adapters.engram.client import Client
from runbook.errors import UsageError
from runbook.model.settings import CATALOGUE, Settings, checked
from runbook.model.target import Node
from runbook.wire import NoReplyError

PATH = "/engram-splitter"
KEYS = ("dual_memory.treatment_rate", "dual_memory.treatment_salt", "dual_memory.treatment_spaces")
_WHY: Mapping[int | None, str] = {
    HTTPStatus.NOT_FOUND: f"HTTP 404: nothing tells at {PATH} what it splits by: was split_traffic ever played on it?",
    HTTPStatus.FORBIDDEN: "HTTP 403: it does not tell this machine: is it in engram_splitter_readers?",
}


def read_split(client: Client, splitter: Node) -> Settings:
    """Share, salt and named spaces as the running nginx has them: all three, or none of them counts.

    Raises:
        NoReplyError: it does not answer, was never set up, or what it tells is not this.
    """
    try:
        reply = client.get(splitter, PATH, admin=False)
    except NoReplyError as error:
        if error.status in _WHY:
            raise NoReplyError(_WHY[error.status], status=error.status) from None
        raise
    document = reply.json()
    if not isinstance(document, dict):
        raise NoReplyError("answered with JSON that is no object")
    if missing := [key for key in KEYS if key not in document]:
        raise NoReplyError(f"it does not tell {', '.join(missing)}: is it an older configuration?")
    try:
        return {key: checked(CATALOGUE[key], document[key]) for key in KEYS}
    except UsageError as error:
        raise NoReplyError(f"it tells what cannot be: {error.message[:200]}") from None
