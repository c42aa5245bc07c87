"""How many writes of its node a backup has not seen; asked where a node can be asked, and left open where not."""

from runbook.cli import compose
from runbook.cli.migrate.wishes import Wishes
from runbook.errors import RunbookError
from runbook.model.conversion import Surveyed

_MOST_NODES = 5
"""In a larger fleet a person names the node."""


def newer_writes(wishes: Wishes, source: Surveyed) -> int | None:
    """That number; None where no node of the target says that the backup is of what it serves."""
    generation, _, sequence = source.snapshot.rpartition(":")
    try:
        target = compose.target_of(compose.session(), wishes.target, wishes.config)
        nodes = [node for node in target.nodes if not wishes.nodes or node.name in wishes.nodes]
        for node in nodes if len(nodes) <= _MOST_NODES else ():
            holdings = compose.data_node(target, node).holdings()
            if (holdings.node, holdings.active.id) == (source.node, generation):
                return max(holdings.active.sequence - int(sequence), 0)
    except RunbookError:
        return None  # the plan is one of the backup; nothing in it depends on this
    return None
