"""Archives that were made in a folder of work get their names: the residue first, so that no data lies without it."""

from dataclasses import replace
from pathlib import Path

from runbook.adapters.archives.kept import PACKED, KeptArchives
from runbook.adapters.files import storage, sync_folder
from runbook.model.conversion import Converted, Part

_ENDINGS = (PACKED, ".json")


def publish(found: Converted, output: Path) -> Converted:
    """Put the archives at `output` and beside it; a name that ends in `.zst` is packed.

    Raises:
        StorageError: the disk refused.
        DamagedError: what was read back is not what was made.
    """
    residue = None if found.residue is None else _named(found.residue, residue_beside(output))
    return replace(found, residue=residue, data=_named(found.data, output))


def residue_beside(path: Path) -> Path:
    """How the residue of the archive of that name is called: `NAME.residue.json` beside `NAME.json`."""
    name, endings = path.name, ""
    for ending in _ENDINGS:
        if name.endswith(ending) and name != ending:
            name, endings = name.removesuffix(ending), ending + endings
    return path.with_name(f"{name}.residue{endings if '.json' in endings else '.json' + endings}")


def _named(part: Part, path: Path) -> Part:
    if path.name.endswith(PACKED):
        archives = KeptArchives()
        with archives.chunks(part.path) as chunks:
            archives.keep(chunks, path)
    else:
        with storage(path, "write"):
            part.path.rename(path)
            sync_folder(path.parent)
    return replace(part, path=path)
