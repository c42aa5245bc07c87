"""The journal's second place: what a rollback has to say while the journal takes nothing waits here to be adopted.

One file per entry, so that none can be torn, in a private folder beside other people's: nothing in it is followed, and
nothing in it is believed that is not this user's own.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runbook.adapters.files import PRIVATE_FILE, PRIVATE_FOLDER, refusal, sync_folder, write_all
from runbook.adapters.journal.line import NOTHING, read, written
from runbook.errors import NotSupportedError, StorageError
from runbook.model.journal import Entry

LIMIT_BYTES = 4 << 20
_INSTALLED = Path("/var/cache/engram-runbook")
"""Made by `playbooks/install_runbook.yml` and by the units of `deployment/`, for the account of the services."""
_SHOWN_CHARACTERS = 1 << 20
"""More than any entry: what does not read may be of a newer version, and its file goes once it is adopted."""


def usual_folders() -> tuple[Path, ...]:
    """Where it can be, best first: what survives a restart, then memory, which is there when every disk is full.

    One user's are always the same, whatever the environment holds, so that their next run finds what this one left.
    Another user's next run does not: they are private. A service has temporary folders that end with it, so the first
    is the folder that an installation makes for it; elsewhere that one is not there.
    """
    user = os.geteuid()
    places = (Path("/var/tmp"), Path("/dev/shm"), Path("/tmp"))  # noqa: S108 - private folders in them
    own = [place / f"engram-runbook-{user}" for place in places]
    installed = _INSTALLED / f"second-place-{user}"
    return tuple(dict.fromkeys([installed, own[0], Path(f"/run/user/{user}/engram-runbook"), *own[1:]]))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry that waits; `entry` is None where the file does not read as one, then `raw` is what it holds."""

    path: Path
    entry: Entry | None
    why: str
    raw: bytes

    @property
    def id(self) -> str:
        """What the journal knows it by, once it is adopted."""
        return self.path.stem

    @property
    def details(self) -> dict[str, Any]:
        """The details of the entry that adopts it."""
        told: dict[str, Any] = {"id": self.id, "kept_in": str(self.path.parent)}
        if self.entry is None:
            digest = hashlib.sha256(self.raw).hexdigest()
            text = self.raw.decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
            return told | {"entry": None, "sha256": digest, "text": text}
        kept = self.entry
        return told | {
            "why": self.why,
            "entry": {
                "at": kept.at.isoformat(),
                "event": kept.event.value,
                "run": kept.run,
                "who": kept.who,
                "where": kept.where,
                "details": dict(kept.details),
            },
        }


class SecondPlace:
    """The second place of the journal in one state folder."""

    def __init__(self, state: Path, folders: Sequence[Path] | None = None) -> None:
        self._folders = usual_folders() if folders is None else tuple(folders)
        self._prefix = hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:16] + "-"

    def keep(self, entry: Entry, why: str) -> Path:
        """Make the entry durable in the first folder that takes it; `why` is what the journal said.

        Raises:
            StorageError: no folder takes it.
        """
        number = 1 + max((_number(path) for path in self._paths()), default=0)
        raw = written(replace(entry, seq=number, details={"why": why, "details": entry.details}), NOTHING).raw
        name = f"{self._prefix}{number:08d}-{secrets.token_hex(8)}.json"
        refused = StorageError("there is no second place for the journal")
        for folder in self._folders:
            try:
                with _private(folder, make=True) as descriptor:
                    _write(descriptor, name, raw)
                sync_folder(folder.parent)
            except OSError as error:
                refused = refusal(error, folder, "write to")
            else:
                return folder / name
        raise refused

    def waiting(self) -> list[Waiting]:
        """What waits, oldest first; what is not this user's own is passed over."""
        found = []
        for path in sorted(self._paths(), key=lambda path: path.name):
            with suppress(OSError), _private(path.parent) as descriptor:
                found.append(_waiting(path, _read(descriptor, path.name)))
        return found

    def drop(self, waiting: Waiting) -> None:
        """Forget an entry that the journal has now; one that is not removed, or not for good, is known by its id."""
        with suppress(OSError), _private(waiting.path.parent) as descriptor:
            os.unlink(waiting.path.name, dir_fd=descriptor)

    def _paths(self) -> Iterator[Path]:
        for folder in self._folders:
            with suppress(OSError), _private(folder) as descriptor:
                names = os.listdir(descriptor)  # noqa: PTH208 - of the very folder that was checked
                yield from (folder / name for name in names if name.startswith(self._prefix) and _number(Path(name)))


def _number(path: Path) -> int:
    parts = path.stem.split("-")
    return int(parts[1]) if path.suffix == ".json" and len(parts) == 3 and parts[1].isdecimal() else 0  # noqa: PLR2004 - the three parts of a name


@contextmanager
def _private(folder: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder; raises `OSError` where it is a link, someone else's, or open to others."""
    if make:
        with suppress(FileExistsError):
            folder.mkdir(mode=PRIVATE_FOLDER)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError(1, "it is not this user's own, or it is open to others")
        yield descriptor
    finally:
        os.close(descriptor)


def _write(folder: int, name: str, raw: bytes) -> None:
    draft = f".{name}.draft"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, PRIVATE_FILE, dir_fd=folder)
    try:
        write_all(descriptor, raw, 0)
        os.fsync(descriptor)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
    os.fsync(folder)


def _read(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(1, "it is no regular file of this user")
        return stream.read(LIMIT_BYTES)


def _waiting(path: Path, raw: bytes) -> Waiting:
    line = read(raw)
    try:
        entry = None if isinstance(line, str) else line.entry()
    except NotSupportedError:
        entry = None
    if entry is None or set(entry.details) != {"why", "details"}:
        return Waiting(path, None, "", raw)
    return Waiting(path, replace(entry, details=entry.details["details"]), entry.details["why"], raw)
