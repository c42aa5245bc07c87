"""One diagnosis because of alerts: `runbook diagnose --from - --json` by a child."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from runbook.engine.alerts.keeping import payload_of
from runbook.errors import ExitCode
from runbook.model.alert import Received
from runbook.serve.work.child import Patience, run_child
from runbook.serve.work.reading import Diagnosed, diagnosed

PATIENCE = Patience(seconds=300.0, grace_seconds=5.0, kill=True)
"""Looking takes a minute at most, and each node and Prometheus are asked with patience of their own."""
MOST_SHOWN = 100
"""So many alerts the diagnosis is shown: what it finds does not hang on them, and what they mean is decided here."""
_CUT_OFF = {ExitCode.INTERRUPTED.value, ExitCode.TERMINATED.value}


async def diagnose(
    target: str, batch: Sequence[Received], config: Sequence[str], ending: asyncio.Event
) -> Diagnosed | None:
    """What the diagnosis says; None where it was cut off, because everything ends."""
    payload = json.dumps(payload_of(batch[:MOST_SHOWN])).encode()
    words = ["diagnose", "--from", "-", "--json", "--target", target, *config]
    try:
        ended = await run_child(words, payload, PATIENCE, ending)
    except OSError as error:
        return Diagnosed(None, {}, {}, f"it could not be begun: {error}")
    if ended.code is None or (ending.is_set() and (ended.code < 0 or ended.code in _CUT_OFF)):
        return None
    return diagnosed(ended)


def details_of(diagnosis: str, target: str, batch: Sequence[Received], found: Diagnosed) -> dict[str, Any]:
    """What is journaled of it."""
    return {
        "diagnosis": diagnosis,
        "target": target,
        "alerts": [each.id for each in batch],
        "names": sorted({each.alert.name for each in batch})[:20],
        "code": found.code,
        "answers": {slug: answer.value for slug, answer in found.answers.items()},
        "nodes": {slug: list(nodes) for slug, nodes in found.nodes.items() if nodes},
        "why": found.why,
    }
