"""The write freeze of a cut-over: nothing is written for as long as it lasts, and it ends by itself."""

from time import monotonic

from runbook.errors import StorageError


class FrozenError(StorageError):
    """Nothing is written now. `seconds` until the freeze ends by itself."""

    def __init__(self, seconds: float) -> None:
        super().__init__("writes are frozen while the data is switched over", hint="nothing was stored; ask again")
        self.seconds = seconds


class Gate:
    """Shut until a moment of the steady clock. It is not kept over a restart: whoever needs it renews it."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def seconds(self) -> float:
        """How long it is still shut; 0 where it is open."""
        return max(0.0, self._until - monotonic())

    def shut(self, ttl_seconds: float) -> None:
        """From now on, for so long."""
        self._until = monotonic() + ttl_seconds

    def open(self) -> None:
        """Writes go on."""
        self._until = 0.0

    def check(self) -> None:
        """Pass.

        Raises:
            FrozenError: it is shut.
        """
        if seconds := self.seconds:
            raise FrozenError(seconds)
