"""One changing run at a time: who may change the settings of this node, and until when."""

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class Lease:
    """Held by a run until a moment of the steady clock."""

    holder: str
    run: str
    expires: float

    @property
    def expires_in_seconds(self) -> float:
        """How long it still lasts; never negative."""
        return max(0.0, self.expires - monotonic())


class Leases:
    """The lease of one node. It is not kept over a restart: a run that lives renews it."""

    def __init__(self) -> None:
        self._lease: Lease | None = None

    @property
    def current(self) -> Lease | None:
        """The lease that holds now, or None."""
        if self._lease is not None and self._lease.expires <= monotonic():
            self._lease = None
        return self._lease

    def take(self, holder: str, run: str, ttl_seconds: float) -> tuple[bool, Lease]:
        """Take or renew it: True and the new lease, or False and the one that another run holds."""
        standing = self.current
        if standing is not None and standing.run != run:
            return False, standing
        self._lease = Lease(holder, run, monotonic() + ttl_seconds)
        return True, self._lease

    def give_back(self, run: str) -> bool:
        """Release it; False when that run does not hold it."""
        standing = self.current
        if standing is None or standing.run != run:
            return False
        self._lease = None
        return True
