"""Every way in which a command can fail, with the exit code that automation branches on.

    RunbookError (1)
    ├── UsageError (2)            the command line or the configuration does not say enough
    ├── UnreachableError (10)     target or metrics source unreachable
    ├── LockedError (11)          another run holds the lock or the lease
    ├── DamagedError (12)         a document or the journal is invalid or damaged
    ├── RefusedError (13)         refused before touching anything
    ├── StepFailedError (14)      a step failed; the earlier steps were undone
    ├── PersonNeededError (15)    a step failed and its undo failed too
    ├── StorageError (16)         no space, or the disk refused a write
    ├── NotSupportedError (17)    a document, node or schema of another version
    └── InterruptedRunError (130) interrupted; resumable

Codes 0-9 are answers, 10 and up are conditions (docs/reference/exit-codes.md). Codes are append-only.
The root command is the only place that catches `RunbookError`.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; each member's meaning is in `MEANINGS`."""

    DONE = 0
    BUG = 1
    USAGE = 2
    BAD_NEWS = 3
    COULD_NOT_TELL = 4
    PARTIAL = 5
    UNREACHABLE = 10
    LOCKED = 11
    DAMAGED = 12
    REFUSED = 13
    STEP_FAILED = 14
    PERSON_NEEDED = 15
    STORAGE = 16
    NOT_SUPPORTED = 17
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done and verified; or nothing wrong",
    ExitCode.BUG: "a bug: the traceback is kept in a file, whose path is printed",
    ExitCode.USAGE: "usage: the command line or the configuration does not say enough",
    ExitCode.BAD_NEWS: "bad news: issue present, not recovered, or validation failed",
    ExitCode.COULD_NOT_TELL: "could not tell: no data or too little data",
    ExitCode.PARTIAL: "partial: some hosts or steps did not finish; the report says which",
    ExitCode.UNREACHABLE: "target or metrics source unreachable",
    ExitCode.LOCKED: "locked by another run (the holder is shown)",
    ExitCode.DAMAGED: "a document or the journal is invalid or damaged (the place is named)",
    ExitCode.REFUSED: "refused before touching anything",
    ExitCode.STEP_FAILED: "a step failed; the earlier steps were undone",
    ExitCode.PERSON_NEEDED: "a step failed and its undo failed too: a person is needed now",
    ExitCode.STORAGE: "no space, or the disk refused a write; nothing was lost",
    ExitCode.NOT_SUPPORTED: "version not supported (document, node or schema)",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C); the command to resume is printed",
    ExitCode.TERMINATED: "terminated (SIGTERM); the command to resume is printed",
}


class RunbookError(Exception):
    """The root: a message that says what happened, and a hint that says what to do about it.

    Args:
        message: one sentence, for the person on call.
        hint: the next thing to try; empty where there is none.
        run: id of the run that this error ended, where there is one.
    """

    code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "", run: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.run = run


class UsageError(RunbookError):
    """The command line or the configuration does not say enough."""

    code = ExitCode.USAGE


class UnreachableError(RunbookError):
    """The target, or the source of its metrics, did not answer."""

    code = ExitCode.UNREACHABLE


class LockedError(RunbookError):
    """Another run holds the lock or the lease; the message names the holder."""

    code = ExitCode.LOCKED


class DamagedError(RunbookError):
    """A document is invalid, or the journal is damaged; the message names the place."""

    code = ExitCode.DAMAGED


class RefusedError(RunbookError):
    """Refused before anything was touched."""

    code = ExitCode.REFUSED


class StepFailedError(RunbookError):
    """A step failed, and what it and the earlier steps changed was undone."""

    code = ExitCode.STEP_FAILED


class PersonNeededError(RunbookError):
    """A step failed and its undo failed too."""

    code = ExitCode.PERSON_NEEDED


class StorageError(RunbookError):
    """The disk is full, read-only or failing."""

    code = ExitCode.STORAGE


class NotSupportedError(RunbookError):
    """A document, node or schema of a version, or with a part, that this tool does not know."""

    code = ExitCode.NOT_SUPPORTED


class InterruptedRunError(RunbookError):
    """A person or the system stopped the run; it can be resumed."""

    code = ExitCode.INTERRUPTED
