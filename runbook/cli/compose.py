"""The only place that puts adapters together: from what the command line said to ports and a target."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import invoking_user, machine
from runbook.adapters.locks import FileLocks
from runbook.cli import signals
from runbook.cli.notify.journal import TellingJournal
from runbook.cli.notify.starting import Telling
from runbook.config import choose_target, load_config, state_folder
from runbook.errors import RefusedError
from runbook.ports import ChangePorts, ReadPorts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from runbook.adapters.ansible import AnsiblePlays
    from runbook.adapters.engram import Surveyor
    from runbook.adapters.journal import FileJournal
    from runbook.adapters.store import FileStore
    from runbook.cli.progress import ProgressTalk
    from runbook.cli.screen import ScreenTalk
    from runbook.engine.evidence import Looking
    from runbook.engine.migrate.work import Context
    from runbook.engine.validate.golden import Golds
    from runbook.errors import ExitCode
    from runbook.model.measurement import NodeSettings
    from runbook.model.runbook import Runbook
    from runbook.model.target import Node, Target
    from runbook.ports import Archives, CellSource, CellStore, Converter, DataNode, Plays


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation: where its state lives, who typed it, and what it was told about the target."""

    state: Path
    who: str
    where: str
    clock: SystemClock
    telling: Telling

    @property
    def store(self) -> FileStore:
        """Baselines and other documents."""
        from runbook.adapters.store import FileStore

        return FileStore(self.state)

    @property
    def journal(self) -> FileJournal:
        """The journal of this state folder; what is journaled and worth telling starts the telling."""
        return TellingJournal(self.state, self.clock, (self.who, self.where), self.telling)

    @property
    def locks(self) -> FileLocks:
        """The locks of this state folder."""
        return FileLocks(self.state / "locks", self.clock, self.who, self.where)

    def new_run_id(self) -> str:
        """Sortable by time, unique by chance: `20261122T213000-4f1a`."""
        return f"{self.clock.now():%Y%m%dT%H%M%S}-{os.urandom(2).hex()}"


def session() -> Session:
    """This invocation; nothing is created on disk by asking."""
    state = state_folder(os.environ)
    return Session(state, invoking_user(os.environ), machine(), SystemClock(), Telling(state))


def target_of(current: Session, name: str | None, config: Path | None) -> Target:
    """The target that was asked for, with the nodes of its inventory.

    Raises:
        UsageError: none was named and none is the default, or there is none of that name.
        DamagedError: the configuration or the inventory does not read.
    """
    from runbook.adapters.inventory import read_inventory

    current.telling.config = config
    settings = choose_target(load_config(os.environ, config), os.environ, current.state, name)
    return read_inventory(settings)


def target_name(current: Session, name: str | None, config: Path | None) -> str:
    """The name of the target that was asked for; its inventory is not read.

    Raises:
        UsageError: none was named and none is the default, or there is none of that name.
        DamagedError: the configuration does not read.
    """
    current.telling.config = config
    return choose_target(load_config(os.environ, config), os.environ, current.state, name).name


def read_ports(current: Session, target: Target, talk: ScreenTalk) -> ReadPorts:
    """Ports that can only read.

    Raises:
        RefusedError: every node has a token file, and not one of these files is there.
    """
    from runbook.adapters.engram import EngramNodes

    _refuse_without_tokens(target)
    nodes = EngramNodes(allow_plain_http=target.allow_plain_http, on_retry=talk.say)
    if target.prometheus is not None:
        from runbook.adapters.prometheus import PrometheusProbes

        return ReadPorts(PrometheusProbes(target.prometheus, on_retry=talk.say), nodes, current.clock, talk)
    from runbook.adapters.scrape import ScrapeProbes

    return ReadPorts(ScrapeProbes(current.clock), nodes, current.clock, talk)


def splits_of(target: Target, talk: ScreenTalk) -> NodeSettings:
    """What each splitter splits by, or its silence; no token is needed for it."""
    from runbook.adapters.engram import EngramNodes

    return EngramNodes(on_retry=talk.say).settings(target.splitters)


def surveyor(target: Target) -> Surveyor:
    """Who finds out what each server can do."""
    from runbook.adapters.engram import Surveyor

    return Surveyor(allow_plain_http=target.allow_plain_http)


def data_node(target: Target, node: Node, talk: ScreenTalk | None = None) -> DataNode:
    """The data of one node of that target.

    Raises:
        RefusedError: every node has a token file, and not one of these files is there.
    """
    from runbook.adapters.engram import EngramData
    from runbook.wire import quiet

    _refuse_without_tokens(target)
    return EngramData(node, allow_plain_http=target.allow_plain_http, on_retry=quiet if talk is None else talk.say)


def cell_source(target: Target, talk: ScreenTalk) -> CellSource:
    """The rows that the nodes keep of their recalls.

    Raises:
        RefusedError: every node has a token file, and not one of these files is there.
    """
    from runbook.adapters.engram import EngramCells

    _refuse_without_tokens(target)
    return EngramCells(allow_plain_http=target.allow_plain_http, on_retry=talk.say)


def cell_store(current: Session, target: str) -> CellStore:
    """Those that were collected of that target: `cells/<target>.sqlite` in the state folder.

    Raises:
        UsageError: the target's name cannot be a file's.
    """
    from runbook.adapters.cell_store import FileCellStore

    return FileCellStore(current.state, target)


def archives() -> Archives:
    """Archive files on this disk."""
    from runbook.adapters.archives.kept import KeptArchives

    return KeptArchives()


def converter() -> Converter:
    """Migrations over archive files."""
    from runbook.adapters.archives.conversion import FileConverter

    return FileConverter()


def migration_context(current: Session, target: Target, talk: ProgressTalk) -> Context:
    """What a migration of nodes of that target is given."""
    from runbook.adapters.archives.bench import FileBench
    from runbook.engine.migrate.work import Context, MigrationPorts

    def data(name: str) -> DataNode:
        node = target.node(name)
        if node is None:
            raise RefusedError(f"{target.name} has no node {name} any more", hint="put it back into the inventory")
        return data_node(target, node, talk)

    ports = MigrationPorts(
        nodes=read_ports(current, target, talk).nodes,
        data=data,
        archives=archives(),
        bench=FileBench(),
        converter=converter(),
        journal=current.journal,
        locks=current.locks,
        clock=current.clock,
        talk=talk,
    )
    return Context(ports, target, f"{current.who}@{current.where}")


def golden_settings(target: Target, nodes: Sequence[Node], ports: ReadPorts) -> NodeSettings:
    """By what the spaces of these nodes are assigned: what splits their traffic decides, where anything does."""
    from runbook.engine.validate.golden_groups import behind

    found = ports.nodes.settings((*nodes, *target.splitters))
    splits = {each.name: found[each.name] for each in target.splitters}
    return behind(splits, {node.name: found[node.name] for node in nodes})


def golden_queries(target: Target, ports: ReadPorts, talk: ScreenTalk) -> Golds:
    """Golden queries, chosen from or asked of the nodes of that target."""
    from runbook.adapters.archives.bench import FileBench
    from runbook.engine.validate.golden import Golds

    split = bool(target.splitters)
    return Golds(lambda node: data_node(target, node, talk), FileBench(), ports.clock, talk, split)


def _refuse_without_tokens(target: Target) -> None:
    """Said once, where each node would only say that it was not asked."""
    files = sorted({str(node.token_file) for node in target.nodes})
    if any(node.token_file is None for node in target.nodes) or not all(map(_is_missing, files)):
        return
    others = f" (nor {len(files) - 1} others)" if len(files) > 1 else ""
    raise RefusedError(
        f"the token file {files[0]}{others} of target {target.name} does not exist",
        hint="put the admin token there (chmod 600), or mend token_file (runbook.toml), engram_token_file (inventory)",
    )


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116  # not exists(): behind a closed door is not missing
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def change_ports(current: Session, target: Target, read: ReadPorts) -> ChangePorts:
    """Ports that can change nodes, through Ansible only."""
    return ChangePorts(read, plays_on(target), current.journal, current.locks)


def plays_on(target: Target, cancelled: Callable[[], ExitCode | None] = signals.received) -> Plays:
    """Ansible, on the hosts of that target; `cancelled` is the exit code of what ends a play, asked while it runs."""
    return hosts_of(target, cancelled)


def hosts_of(target: Target, cancelled: Callable[[], ExitCode | None] = signals.received) -> AnsiblePlays:
    """The same, for work that the hosts' own `runbook` does."""
    from runbook.adapters.ansible import Access, AnsiblePlays

    files = {node.name: node.token_file for node in target.nodes if node.token_file is not None}
    return AnsiblePlays(target.inventory, Access(files, target.allow_plain_http), cancelled)


def looking(current: Session, runbook: Runbook) -> Looking | None:
    """What a run of that issue collects before its first step, and the shelf for it."""
    if runbook.evidence is None:
        return None
    from runbook.engine.evidence import Looking

    return Looking(runbook.evidence, current.store)


def command_for(slug: str, target: str) -> str:
    """The command line that a person types for an issue on that target."""
    quoted = target if re.fullmatch(r"[\w.-]+", target) else repr(target)
    return f"runbook {slug} --target {quoted}"
