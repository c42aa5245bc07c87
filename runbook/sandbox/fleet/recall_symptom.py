"""How sure recalls are, asked from outside: the same questions before and after, none of which leaves a trace."""

import random
from itertools import islice
from statistics import mean
from urllib.parse import quote

from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.waiting import Look
from runbook.sandbox.texts.generate import query_of, texts_of

_PER_SPACE = 4
_SEED = 104_729  # texts that nobody has stored
_LEAST_LOSS = 0.15


def poor_recall(folder: FleetFolder, node: NodeRecord) -> Look:
    """The mean confidence is at least 15 % under what it was."""
    before = _confidence(folder, node)

    def look() -> str | None:
        now = _confidence(folder, node)
        if before is None or now is None or now > (1 - _LEAST_LOSS) * before:
            return None
        return f"recall confidence {now:.2f}, was {before:.2f}"

    return look


def _confidence(folder: FleetFolder, node: NodeRecord) -> float | None:
    """The mean over some recalls in every seeded space; None where nothing comes to mind."""
    source = random.Random(_SEED)  # noqa: S311 - the same questions each time are the point
    found: list[float] = []
    with NodeClient(node.port, folder.token(node.name)) as client:
        for space in node.spaces:
            for text in islice(texts_of(space, _SEED), _PER_SPACE):
                query = quote(query_of(text, source))
                path = f"/api/v1/memories/recall?query={query}&max_results=3&observe=false"
                document = client.ask("GET", path, space=space).document
                confidence = document.get("recall_confidence") if isinstance(document, dict) else None
                found += [] if confidence is None else [float(confidence)]
    return mean(found) if found else None
