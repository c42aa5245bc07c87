"""Documents that last as long as the object."""

from runbook.model.measurement import Baseline


class MemoryStore:
    """`Store` that forgets with the process."""

    def __init__(self) -> None:
        self._baselines: dict[str, Baseline] = {}

    def save_baseline(self, baseline: Baseline) -> str:
        """Keep it as the target's baseline; where it is kept."""
        self._baselines[baseline.target] = baseline
        return "memory"

    def load_baseline(self, target: str) -> Baseline | None:
        """The target's baseline, or None where none was ever captured."""
        return self._baselines.get(target)
