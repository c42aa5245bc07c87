"""Which known issue an alert means, and on which node."""

import pytest

from runbook.cli.issue import known_issues
from runbook.engine.alerts import understood
from runbook.model.alert import Alert
from runbook.model.runbook import Runbook
from runbook.model.target import Node

NODES = (
    Node("node-1", "http://10.0.0.1:7432"),
    Node("node-2", "https://node-2.example"),
    Node("node-3", "http://[fd00::3]:7432"),
)
ISSUES = known_issues()


def meant(name: str = "X", *, annotation: str | None = None, by: str = "runbook", **labels: str) -> Alert:
    """One firing alert, understood."""
    annotations = {} if annotation is None else {by: annotation}
    (found,) = understood((Alert(name, firing=True, labels=labels, annotations=annotations),), ISSUES, NODES)
    return found


@pytest.mark.parametrize("issue", ISSUES, ids=lambda each: each.slug)
def test_every_issue_is_meant_by_the_alerts_that_it_names(issue: Runbook) -> None:
    """Found by walking."""
    assert {meant(name).issue for name in issue.known_alerts} == {issue.slug}


def test_no_two_issues_name_the_same_alert() -> None:
    """It would mean the one that is found first."""
    names = [name for issue in ISSUES for name in issue.known_alerts]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "said",
    [
        "memory-leak",
        "runbook memory-leak",
        "runbook memory-leak --target prod --act",
        "https://wiki.example/runbooks/memory-leak.html#steps",
        "see docs/operations (memory-leak)",
    ],
)
def test_an_alert_may_name_its_issue_itself(said: str) -> None:
    """As a label or as an annotation; that wins over what its name means."""
    assert meant("HighConceptFormationRate", annotation=said).issue == "memory-leak"
    assert meant("HighConceptFormationRate", runbook=said).issue == "memory-leak"
    assert meant("HighConceptFormationRate", annotation=said, by="runbook_url").issue == "memory-leak"
    assert meant("HighConceptFormationRate", runbook_url=said).issue == "memory-leak"


@pytest.mark.parametrize(
    "said", ["memory-leaks", "memory-leak-cache", "MEMORY-LEAK", "memory leak", "", "http://wiki/x"]
)
def test_a_word_that_is_no_issue_means_nothing(said: str) -> None:
    """The name of the alert decides then."""
    assert meant("HighConceptFormationRate", annotation=said).issue == "high-formation-rate"
    assert meant("HostDown", annotation=said).issue == ""
    assert meant("HostDown", annotation=said, by="runbook_url").issue == ""


def test_an_address_of_a_runbook_that_is_none_of_ours_means_nothing_and_other_words_are_not_read() -> None:
    """Every alert of a Prometheus has an address; a summary may name what the alert is not."""
    address = "https://runbooks.prometheus-operator.dev/runbooks/node/nodefilesystemalmostoutofspace"
    assert meant("NodeFilesystemAlmostOutOfSpace", annotation=address, by="runbook_url").issue == ""
    assert meant("HostDown", annotation="not the memory-leak of last week", by="summary").issue == ""


@pytest.mark.parametrize("name", ["HostDown", "memoryleak", "MemoryLeak2", ""])
def test_an_alert_that_nobody_knows_has_no_issue(name: str) -> None:
    """Names are compared whole, as Alertmanager does."""
    assert meant(name).issue == ""


@pytest.mark.parametrize(
    ("labels", "node"),
    [
        ({"instance": "10.0.0.1:7432"}, "node-1"),
        ({"instance": "node-2.example:443"}, "node-2"),  # Prometheus writes the scheme's port
        ({"instance": "[fd00::3]:7432"}, "node-3"),
        ({"instance": "node-2"}, "node-2"),
        ({"node": "node-2"}, "node-2"),
        ({"node": "node-2", "instance": "10.0.0.1:7432"}, "node-2"),
        ({"node": "worker-9", "instance": "10.0.0.1:7432"}, "node-1"),  # the machine's name, not ours
        ({"instance": "10.0.0.1:9100"}, ""),
        ({"instance": "10.0.0.1"}, ""),
        ({"instance": ""}, ""),
        ({}, ""),
    ],
)
def test_the_node_is_told_by_its_name_or_by_its_place(labels: dict[str, str], node: str) -> None:
    """And not at all where it is none of this target's."""
    assert meant(**labels).node == node


def test_what_is_resolved_comes_last_and_nothing_else_is_moved() -> None:
    """Each of them is in the answer."""
    given = tuple(Alert(name, firing=name.isupper(), labels={}, annotations={}) for name in "aBcDe")
    assert [each.name for each in understood(given, ISSUES, NODES)] == ["B", "D", "a", "c", "e"]
    assert understood((), ISSUES, NODES) == ()
