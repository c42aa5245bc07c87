"""What the node runs with now: one frozen object, replaced as a whole, so that a change is atomic.

Flags and tunables, their types, ranges and defaults come from `runbook.model.settings`; here they are kept, durably.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from runbook.errors import UsageError
from runbook.model.assignment import in_treatment
from runbook.model.cells import CONTROL, GROUPS, TREATMENT
from runbook.model.settings import CATALOGUE, Kind, Value, checked, defaults
from runbook.sandbox.store import Store, Transaction

_PREFIX = "dual_memory."
FLAGS_OFF: Mapping[str, Value] = {key: False for key, setting in CATALOGUE.items() if setting.kind is Kind.FEATURE}
"""What a single memory runs with: there is nothing that a flag could switch on."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Every setting by the last part of its name."""

    enabled: bool
    enable_concepts: bool
    use_blended_recall: bool
    coherence_threshold: float
    concept_sample_rate: float
    min_cluster_size: int
    semantic_weight: float
    concept_cache_size: int
    binding_cleanup: bool
    treatment_rate: float
    treatment_salt: str
    treatment_spaces: tuple[str, ...]
    _groups: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Of the spaces that were asked for: to find out takes longer for one group than for the other."""

    @property
    def forms_concepts(self) -> bool:
        """Does consolidation form concepts?"""
        return self.enabled and self.enable_concepts

    def group(self, space: str, named: str = "") -> str:
        """`treatment` where the dual memory answers for the space, else `control`.

        `named` is what a proxy in front of the node says; it wins over share and named spaces, but not over a flag
        that is off. Anything but the name of a group says nothing.
        """
        if named in GROUPS:
            return named if self.enabled else CONTROL
        if (known := self._groups.get(space)) is not None:
            return known
        chosen = self.enabled and in_treatment(
            space, salt=self.treatment_salt, share=self.treatment_rate, always=self.treatment_spaces
        )
        return self._groups.setdefault(space, TREATMENT if chosen else CONTROL)


def check_all(changes: Mapping[str, Any], kind: Kind) -> dict[str, Value]:
    """The changes, every one valid and of that kind.

    Raises:
        UsageError: one of them is not; then none may be applied.
    """
    for key in changes:
        if key not in CATALOGUE or CATALOGUE[key].kind is not kind:
            names = ", ".join(name for name, setting in CATALOGUE.items() if setting.kind is kind)
            raise UsageError(f"no {kind.value} setting is called {key!r}", hint=f"one of: {names}")
    return {key: checked(CATALOGUE[key], value) for key, value in changes.items()}


class Settings:
    """The settings of one node, durable. `tuning` is always whole: read it once per operation.

    Args:
        store: where they are kept.
        given: what the node was started with; it wins over what is kept, and is not kept itself.
        single: the data is a single memory: every flag is off, whatever is kept.
    """

    def __init__(self, store: Store, given: Mapping[str, Value] | None = None, *, single: bool = False) -> None:
        self._store = store
        self._single = single
        stored = store.reader.execute("SELECT key, value FROM setting").fetchall()
        known = {key: checked(CATALOGUE[key], orjson.loads(value)) for key, value in stored if key in CATALOGUE}
        self.values: Mapping[str, Value] = self._held({**defaults(), **known, **(given or {})})
        self.tuning = _tuning(self.values)

    def serve(self, *, single: bool) -> None:
        """From now on the data is a single memory, or is not; flags that went off with it stay off."""
        self._single = single
        self.values = self._held(self.values)
        self.tuning = _tuning(self.values)

    def of(self, kind: Kind) -> dict[str, Value]:
        """The settings of that kind."""
        return {key: value for key, value in self.values.items() if CATALOGUE[key].kind is kind}

    def change(self, changes: Mapping[str, Value]) -> Future[None]:
        """Apply checked changes, all at once; durable, and in effect, when the future is done.

        The future raises StorageError when the disk refused; then nothing was changed.
        """
        rows = [(key, orjson.dumps(value).decode()) for key, value in changes.items()]

        def write(transaction: Transaction) -> None:
            transaction.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", rows)

        def apply(_: None) -> None:
            self.values = self._held({**self.values, **changes})
            self.tuning = _tuning(self.values)

        return self._store.write(write, apply)

    def _held(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        return {**values, **FLAGS_OFF} if self._single else values


def _tuning(values: Mapping[str, Value]) -> Tuning:
    return Tuning(**cast("dict[str, Any]", {key.removeprefix(_PREFIX): value for key, value in values.items()}))
