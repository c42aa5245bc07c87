"""Documents as files: read with care, and asked what lies around them."""

from dataclasses import dataclass
from pathlib import Path

from runbook.engine.check import Document, read
from runbook.errors import DamagedError, UsageError

LIMIT_BYTES = 8 << 20
"""A runbook that is larger was not written by a person."""


def text_of(path: Path) -> str:
    """The whole text of a file.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        DamagedError: it is too large, or no text.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no regular file", hint="name a Markdown file")
        with path.open("rb") as source:
            raw = source.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="is that the file?") from None
    if len(raw) > LIMIT_BYTES:
        raise DamagedError(
            f"{path} is larger than {LIMIT_BYTES >> 20} MiB: this is no runbook", hint="name a Markdown file"
        )
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise DamagedError(f"{path}, line {line}: this is binary, no text", hint="name a Markdown file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DamagedError(
            f"{path}, line {line}, byte {error.start}: not UTF-8", hint=f"iconv -f ISO-8859-1 -t UTF-8 {path}"
        ) from None


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around one document: links start beside it, names of files at any of the `roots`."""

    document: Path
    roots: tuple[Path, ...]

    def has(self, name: str) -> bool:
        """Is there such a file or folder under one of the roots? `*` may stand for a part of a name."""
        pattern = name.rstrip("/")
        try:
            return any(next(root.glob(pattern), None) is not None for root in self.roots)
        except (ValueError, OSError):  # such as `a/**b`: then no file is called so
            return False

    def linked(self, name: str) -> bool:
        """Does a link from the document to this path lead to something?"""
        try:
            return (self.document.parent / name).exists()
        except (OSError, ValueError):
            return False

    def anchors(self, name: str) -> frozenset[str] | None:
        """The anchors of the document that a link leads to; None where it is no Markdown."""
        path = self.document.parent / name
        if path.suffix != ".md" or not path.is_file():
            return None
        return document_of(path).anchors


_KEPT: dict[tuple[Path, int], Document] = {}


def document_of(path: Path) -> Document:
    """A file as a document; read once while it stays the same.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        DamagedError: it is too large, or no text.
    """
    text = text_of(path)
    key = (path.resolve(), hash(text))
    if key not in _KEPT:
        _KEPT[key] = read(text)
    return _KEPT[key]


def repository_of(path: Path) -> Path | None:
    """The folder above a file that holds its repository."""
    return next((parent for parent in path.resolve().parents if (parent / ".git").exists()), None)
