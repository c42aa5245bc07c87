"""What came of a step, as the journal keeps it. Pure."""

from collections.abc import Sequence
from typing import Any

from runbook.model.play import HostResult
from runbook.model.run import RunStep


def outcome_details(step: RunStep, hosts: Sequence[HostResult]) -> dict[str, Any]:
    """An outcome, or an observation, for the journal."""
    return {
        "step": step.index,
        "done": all(result.done for result in hosts),
        "hosts": [
            {
                "host": each.host,
                "state": each.state.value,
                "old": each.old,
                "read_back": each.read_back,
                "message": each.message,
            }
            for each in hosts
        ],
    }
