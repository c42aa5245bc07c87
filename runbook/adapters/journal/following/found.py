"""What a follower hands out: how far it has come, and lines that were looked up."""

from dataclasses import dataclass

from runbook.model.journal import Damage, Entry


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the journal is read, and what is wrong with it.

    `begun` is False where no journal was ever begun. `damage` holds the first ones of `damages`. `torn` is an end that
    was never finished. `trouble` says why the journal could not be read the last time; what was known before still is.
    `newer` counts entries that a newer version of this tool wrote, and those that do not say what their event has to.
    `waiting` are the entries of the second place. `generation` counts how often another file was found in its place.
    """

    begun: bool = False
    entries: int = 0
    bytes_read: int = 0
    bytes_there: int = 0
    damages: int = 0
    damage: tuple[Damage, ...] = ()
    torn: str = ""
    trouble: str = ""
    hint: str = ""
    newer: int = 0
    unfolded: tuple[str, ...] = ()
    waiting: tuple[Entry, ...] = ()
    generation: int = 0

    @property
    def complete(self) -> bool:
        """Is everything read that was there at the last look?"""
        return self.bytes_read >= self.bytes_there and not self.trouble

    @property
    def sound(self) -> bool:
        """Is nothing wrong, as far as it is read?"""
        return not self.damages and not self.trouble


@dataclass(frozen=True, slots=True)
class Found:
    """One line, read again from the disk. `entry` is None where it cannot be understood, and `trouble` says why."""

    seq: int
    raw: bytes
    entry: Entry | None
    trouble: str = ""
