"""Breaking nodes on purpose, and waiting until the symptom can be measured from outside."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from runbook.errors import UnreachableError, UsageError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.group_symptom import GROUPED, Nobody
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.symptoms import SYMPTOMS
from runbook.sandbox.fleet.talk import Talk
from runbook.sandbox.fleet.waiting import Look, wait_for

PATIENCE = 90.0
_CHAOS = "/api/v1/admin/chaos"


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault in a node; `measured` is None where the symptom did not show in time, or nobody waited.

    `what` says what is broken, in a sentence; `nobody` why nothing can be measured there, where that is so.
    """

    node: str
    fault: str
    measured: str | None
    what: str = ""
    nobody: str = ""


def inject(
    folder: FleetFolder,
    nodes: Sequence[NodeRecord],
    fault: str,
    parameters: Mapping[str, Any],
    talk: Talk,
    patience: float = PATIENCE,
) -> tuple[Injection, ...]:
    """Inject the fault into all the nodes, then wait for the symptom on each (`patience` 0: do not wait).

    Raises:
        UsageError: the nodes know no such fault, or not such a parameter.
        UnreachableError: a node does not answer.
    """
    look_for = _symptom(fault, parameters) if patience else None
    with ThreadPoolExecutor(len(nodes)) as pool:
        looks = [] if look_for is None else list(pool.map(lambda node: look_for(folder, node), nodes))
        what = ""
        for node in nodes:
            document = _change(folder, node, "POST", fault, parameters)
            what = str(document.get("what", {}).get(fault, ""))
        talk.say(f"{fault} is injected into {nodes[0].name if len(nodes) == 1 else f'{len(nodes)} nodes'}")
        if what:
            talk.say(what)
        if look_for is None:
            return tuple(Injection(node.name, fault, None, what) for node in nodes)
        talk.say("waiting until it can be measured")
        found = pool.map(lambda look: _measured(look, patience), looks)
        return tuple(
            Injection(node.name, fault, each, what, look.why if isinstance(look, Nobody) else "")
            for node, each, look in zip(nodes, found, looks, strict=True)
        )


def shows(injected: Sequence[Injection]) -> bool:
    """Was the symptom measured on every node where it can be, and on one at least?"""
    measured = [each.measured is not None for each in injected if not each.nobody]
    return bool(measured) and all(measured)


def clear(folder: FleetFolder, nodes: Sequence[NodeRecord], fault: str = "") -> dict[str, tuple[str, ...]]:
    """Clear the fault, or all that are active; by node, what was cleared.

    Raises:
        UsageError: the nodes know no such fault.
        UnreachableError: a node does not answer.
    """
    cleared = {}
    for node in nodes:
        active = active_faults(folder, node)
        wanted = (fault,) if fault else active
        for name in wanted:
            _change(folder, node, "DELETE", name, None)
        cleared[node.name] = tuple(name for name in wanted if name in active)
    return cleared


def active_faults(folder: FleetFolder, node: NodeRecord) -> tuple[str, ...]:
    """What is injected into the node now.

    Raises:
        UnreachableError: it does not answer.
    """
    with NodeClient(node.port, folder.token(node.name)) as client:
        return names_of(client)


def names_of(client: NodeClient) -> tuple[str, ...]:
    """The active faults of the node at the other end.

    Raises:
        UnreachableError: it does not answer.
    """
    return tuple(sorted(active["fault"] for active in client.demand("GET", _CHAOS).document["active"]))


def _symptom(fault: str, parameters: Mapping[str, Any]) -> Callable[[FleetFolder, NodeRecord], Look | Nobody] | None:
    if fault in GROUPED and parameters.keys() & {"group", "percent"}:
        return lambda folder, node: GROUPED[fault](folder, node, parameters)
    return SYMPTOMS.get(fault)


def _measured(look: Look | Nobody, patience: float) -> str | None:
    if isinstance(look, Nobody):
        return None
    try:
        return wait_for(look, patience)
    except UnreachableError:
        return None


def _change(folder: FleetFolder, node: NodeRecord, method: str, fault: str, body: Mapping[str, Any] | None) -> Any:
    with NodeClient(node.port, folder.token(node.name)) as client:
        reply = client.ask(method, f"{_CHAOS}/{quote(fault, safe='')}", body)
    if not reply.is_good:
        said = (reply.document or {}).get("error", {})
        hint = said.get("hint", "") or f"faults: {', '.join(SYMPTOMS)}"
        raise UsageError(f"{node.name} does not take {fault!r}: {said.get('message', reply.text[:200])}", hint=hint)
    return reply.document or {}
