"""A disk that loses what was not synced: the states in which a power cut may leave it.

Pessimistic on purpose. Of a file: any write since its last sync may be lost while a later one is there, the last one
may be torn at any place, and of a file that grew the new part may be zeros. Of a folder: any of its new, changed
and removed names since its own last sync may be lost, one by one. A sync of a file makes no name durable. What the
disk does keep to: a sector of 512 bytes that is overwritten in place is old or new, and one name changes in one step.
"""

import hashlib
import itertools
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracing import Cut, Deed, Made, Named, Removed, Synced, Told, Written

SECTOR = 512
Change = Written | Cut
Tree = dict[str, bytes | None]
"""Every file's bytes by its path; a folder has none."""


@dataclass(eq=False)
class File:
    """What is durable, and what is not yet."""

    durable: bytes = b""
    waiting: list[Change] = field(default_factory=list)

    def now(self) -> bytes:
        """As the processes see it."""
        return applied(self.durable, self.waiting)

    def possible(self) -> list[bytes]:
        """What may be found after a power cut, each once; what is durable first, and then what was last seen."""
        found = [self.durable, self.now()]
        waiting = self.waiting
        for end in range(1, len(waiting) + 1):
            before = applied(self.durable, waiting[: end - 1])
            found.append(applied(before, waiting[end - 1 : end]))
            found += _torn(before, waiting[end - 1])
            found += [applied(self.durable, waiting[start:end]) for start in range(1, end)]  # the earlier ones are lost
            found += [applied(self.durable, waiting[:at] + waiting[at + 1 : end]) for at in range(end - 1)]
        return list(dict.fromkeys(found))


def applied(data: bytes, changes: Sequence[Change]) -> bytes:
    """The bytes after these changes."""
    for change in changes:
        if isinstance(change, Cut):
            data = data[: change.size].ljust(change.size, b"\0")
        else:
            end = change.offset + len(change.data)
            data = data[: change.offset].ljust(change.offset, b"\0") + change.data + data[end:]
    return data


def _torn(before: bytes, change: Change) -> Iterator[bytes]:
    if isinstance(change, Cut):
        return
    start, size = change.offset, len(change.data)
    grown = max(len(before), start + size)
    edges = range(start // SECTOR * SECTOR + SECTOR, start + size, SECTOR)
    for edge in edges:  # a sector comes, the next one does not; or the other way round
        yield applied(before, [Written(change.path, start, change.data[: edge - start])])
        yield applied(before.ljust(grown, b"\0"), [Written(change.path, edge, change.data[edge - start :])])
        yield applied(before, [Written(change.path, start, change.data[: edge - start])]).ljust(grown, b"\0")
    if start + size > len(before):
        for kept in {1, size // 3, size - 1}:
            yield applied(before, [Written(change.path, start, change.data[:kept])])
        yield before.ljust(grown, b"\0")


@dataclass(eq=False)
class Folder:
    """Its names: those that are durable, and how they changed since; None is a name that is gone."""

    durable: dict[str, "File | Folder"] = field(default_factory=dict)
    waiting: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def now(self) -> dict[str, "File | Folder"]:
        """As the processes see it."""
        return self.after(self.waiting)

    def after(self, changes: Sequence[dict[str, "File | Folder | None"]]) -> dict[str, "File | Folder"]:
        """The names after these changes."""
        found: dict[str, File | Folder | None] = dict(self.durable)
        for change in changes:
            found.update(change)
        return {name: node for name, node in found.items() if node is not None}

    def possible(self) -> list[dict[str, "File | Folder"]]:
        """Every subset of what changed, where there are not too many; else every beginning and every single loss."""
        waiting = self.waiting
        if len(waiting) <= 5:
            chosen = [
                list(itertools.compress(waiting, mask)) for mask in itertools.product((0, 1), repeat=len(waiting))
            ]
        else:
            chosen = [waiting[:end] for end in range(len(waiting) + 1)]
            chosen += [waiting[:at] + waiting[at + 1 :] for at in range(len(waiting))]
        return [self.after(each) for each in chosen]


class Disk:
    """Follows deeds, and says what a power cut would leave."""

    def __init__(self, before: Path) -> None:
        self.root = _loaded(before)

    def do(self, deed: Deed) -> None:
        """Do it; nothing of it is durable."""
        match deed:
            case Made(path, folder):
                self._name({path: Folder() if folder else File()})
            case Written(path) | Cut(path):
                node = self._node(path)
                assert isinstance(node, File)
                node.waiting.append(deed)
            case Named(path, new, both):
                node = self._node(path)
                self._name({new: node} if both else {path: None, new: node})
            case Removed(path):
                self._name({path: None})
            case Synced(path):
                node = self._node(path)
                node.durable, node.waiting = node.now(), []  # type: ignore[assignment]  # each has its own kind
            case Told():
                pass

    def _node(self, path: str) -> File | Folder:
        node: File | Folder = self.root
        for part in Path(path).parts:
            assert isinstance(node, Folder)
            node = node.now()[part]
        return node

    def _name(self, names: dict[str, File | Folder | None]) -> None:
        parents = {str(Path(path).parent) for path in names}
        assert len(parents) == 1, "a change of two folders is not followed here"
        folder = self._node(parents.pop())
        assert isinstance(folder, Folder)
        folder.waiting.append({Path(path).name: node for path, node in names.items()})

    def states(self, at_most: int, seed: int) -> Iterator[Tree]:
        """Every state after a power cut now; where there are more, a sample that holds the plainest ones."""
        nodes = list(dict.fromkeys(_below(self.root)))
        options = [node.possible() for node in nodes]
        ways = [range(len(each)) for each in options]
        total = 1
        for each in ways:
            total *= len(each)
        for choice in itertools.product(*ways) if total <= at_most else _sampled(ways, at_most, seed):
            yield _tree(self.root, {node: each[at] for node, each, at in zip(nodes, options, choice, strict=True)})


def _sampled(ways: Sequence[range], at_most: int, seed: int) -> Iterator[tuple[int, ...]]:
    """Nothing kept; each thing alone kept in each of its ways, with all else lost, or all else kept; then by lot."""
    lot = random.Random(seed)
    latest = tuple(1 if len(each) > 1 else 0 for each in ways)
    plain = [tuple(0 for _ in ways), latest, tuple(len(each) - 1 for each in ways)]
    for at, each in enumerate(ways):
        plain += [(*rest[:at], way, *rest[at + 1 :]) for way in each for rest in plain[:3]]
    lot.shuffle(tail := plain[3:])
    yield from dict.fromkeys([*plain[:3], *tail[: at_most // 2]])
    for _ in range(at_most - min(len(plain), at_most // 2)):
        yield tuple(lot.choice(each) for each in ways)


def _loaded(place: Path) -> Folder:
    """What is there, all of it durable."""
    return Folder({path.name: _loaded(path) if path.is_dir() else File(path.read_bytes()) for path in place.iterdir()})


def _below(node: File | Folder) -> Iterator[File | Folder]:
    """Everything that may be found there, whatever is lost."""
    yield node
    if isinstance(node, Folder):
        for names in [node.durable, *node.waiting]:
            for each in names.values():
                if each is not None:
                    yield from _below(each)


def _tree(folder: Folder, found: dict[File | Folder, object], path: str = "") -> Tree:
    tree: Tree = {}
    for name, node in found[folder].items():  # type: ignore[attr-defined]  # a folder's are names
        if isinstance(node, File):
            tree[path + name] = found[node]  # type: ignore[assignment]  # a file's are bytes
        else:
            tree |= {path + name: None, **_tree(node, found, f"{path}{name}/")}
    return tree


def put(tree: Tree, place: Path) -> None:
    """Have the place hold that tree, and nothing else."""
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, data in sorted(tree.items()):
        if data is None:
            (place / name).mkdir(mode=0o700)
        else:
            (place / name).write_bytes(data)
            (place / name).chmod(0o600)


def seen(tree: Tree) -> bytes:
    """What two equal trees have in common."""
    return hashlib.sha256(repr(sorted(tree.items())).encode()).digest()
