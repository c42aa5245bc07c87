"""All known issues at once, and what a closer look found: as lines, and as JSON that fits the schema."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from runbook.cli.issue import known_issues
from runbook.errors import ExitCode
from runbook.material import schema
from runbook.model.alert import Alert
from runbook.model.answer import Answer
from runbook.model.concept import RecentConcept, Reviewed
from runbook.model.evidence import Kept, NodeEvidence, PartGrowth
from runbook.model.finding import Diagnosis, Finding, NodeDiagnosis
from runbook.model.measurement import Growth, Silence
from runbook.report.document import envelope
from runbook.report.looks import evidence_data, evidence_lines, look_lines
from runbook.report.survey import alert_lines, survey_data, survey_lines

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
RUNBOOKS = {each.slug: each for each in known_issues()}
LEAK, RECALL, RATE = "memory-leak", "poor-recall-quality", "high-formation-rate"
COMMAND = "runbook memory-leak --target fleet"
ALERTS = (
    Alert("MemoryLeak", firing=True, labels={"instance": "10.0.0.1:1"}, annotations={}, issue=LEAK, node="a"),
    Alert("HostDown", firing=True, labels={"instance": "10.0.0.9:1"}, annotations={}),
    Alert("ConceptCoherenceLow", firing=False, labels={}, annotations={}, issue=RECALL),
)


def node(present: Answer, name: str = "a", question: str = "Memory grows", check: Answer = NO) -> NodeDiagnosis:
    """One node with one symptom and one check."""
    symptom = Finding(name, question, present, f"{name}: 1200 MB/h > 1000", "scrape", 1200.0, 1000.0)
    return NodeDiagnosis(name, present, (symptom,), (Finding(name, "Cleanup is off", check, "off != on", "node"),))


def diagnosis(slug: str, *nodes: NodeDiagnosis) -> Diagnosis:
    """Of one issue."""
    return Diagnosis(slug, "fleet", "scrape", 10.0, nodes)


def told(*found: Diagnosis) -> list[str]:
    """All lines."""
    return [line.text for line in survey_lines(RUNBOOKS, found, COMMAND)]


def survey_document(*found: Diagnosis, alerts: tuple[Alert, ...] = ()) -> dict[str, Any]:
    """As automation reads it, checked against the schema."""
    code = ExitCode.BAD_NEWS
    document = envelope("survey", "runbook diagnose", code, survey_data(RUNBOOKS, found, alerts, COMMAND))
    through: dict[str, Any] = orjson.loads(orjson.dumps(document))
    Draft202012Validator(schema("report.v1")).validate(through)
    return through


def test_what_is_present_comes_with_its_evidence_and_the_next_command() -> None:
    """One line a question, however many nodes say YES; what is not there is one line."""
    leaking = (node(YES, "a", check=YES), node(YES, "b"), node(NO, "c"))
    lines = told(diagnosis(LEAK, *leaking), diagnosis(RATE, node(NO)), diagnosis(RECALL, node(UNKNOWN)))
    assert lines[0] == "fleet: 1 of 3 known issues present"
    assert lines[1] == "source scrape, window 10 s, no baseline: absolute limits only"
    text = "\n".join(lines)
    assert "1. Memory leak: PRESENT on a, b\n" in text
    assert "   YES      Memory grows: a (and 1 more): a: 1200 MB/h > 1000" in lines
    assert "   YES      Cleanup is off: a: off != on" in lines
    assert "2. High concept formation rate: not present" in lines
    assert "3. Poor recall quality: UNKNOWN on a" in lines
    assert lines[-1] == f"Next:  {COMMAND}   shows all of it, and the plan"


def test_a_baseline_is_named_and_many_nodes_are_counted() -> None:
    """Four names and how many more."""
    sick = [node(YES, f"n{at}") for at in range(9)]
    lines = told(replace(diagnosis(LEAK, *sick), baseline="2026-11-22T22:15:29+00:00"))
    assert lines[1] == "source scrape, window 10 s, baseline of 2026-11-22T22:15:29+00:00"
    assert "1. Memory leak: PRESENT on n0, n1, n2, n3 and 5 more" in lines


@pytest.mark.parametrize(
    ("answers", "verdict", "last"),
    [
        ((NO, NO), "fleet: no known issue is present", "Nothing to do."),
        (
            (UNKNOWN, NO),
            "fleet: whether a known issue is present could not be told",
            "Some of it could not be told. Mend what is silent; else look longer: --window 60s",
        ),
        ((YES, YES), "fleet: 2 of 2 known issues present", f"Next:  {COMMAND}   shows all of it, and the plan"),
    ],
)
def test_the_verdict_and_what_to_do_next_fit_each_other(answers: tuple[Answer, ...], verdict: str, last: str) -> None:
    """For each outcome."""
    found = [diagnosis(slug, node(answer)) for slug, answer in zip((LEAK, RATE), answers, strict=True)]
    lines = told(*found)
    assert (lines[0], lines[-1]) == (verdict, last)
    document = survey_document(*found)
    assert document["data"]["present"] == answers[0].value
    assert document["data"]["next"] == (COMMAND if answers[0] is YES else None)


@pytest.mark.parametrize("baseline", ["", "2026-11-22T22:15:29+00:00"])
def test_a_missing_baseline_is_what_to_mend_first(baseline: str) -> None:
    """No longer look tells what is usual."""
    lines = told(replace(diagnosis(LEAK, node(UNKNOWN)), baseline=baseline))
    assert any("runbook baseline capture" in each for each in lines) == (not baseline)


def test_as_json_every_answer_of_every_node_is_there() -> None:
    """In the order of the ranking, with the counts that it is ranked by."""
    silent = NodeDiagnosis("b", UNKNOWN, node(UNKNOWN, "b").symptoms, (), Silence("b", "refused"))
    data = survey_document(diagnosis(LEAK, node(YES, check=YES), silent), diagnosis(RATE, node(NO)))["data"]
    assert [each["issue"] for each in data["issues"]] == [LEAK, RATE]
    assert (data["issues"][0]["symptoms_yes"], data["issues"][0]["checks_yes"]) == (1, 1)
    assert data["issues"][0]["title"] == "Memory leak"
    assert [each["silence"] for each in data["issues"][0]["nodes"]] == [None, "refused"]
    assert data["issues"][0]["nodes"][0]["symptoms"][0]["arithmetic"] == "a: 1200 MB/h > 1000"
    assert (data["baseline"], data["source"], data["window_seconds"], data["alerts"]) == (None, "scrape", 10.0, [])


def test_each_alert_is_told_with_what_it_means() -> None:
    """On which node; and that nobody knows it, where nobody does."""
    lines = [line.text for line in alert_lines(ALERTS)]
    assert lines == [
        "firing   MemoryLeak on a: runbook memory-leak",
        "firing   HostDown on 10.0.0.9:1: no known issue; it has no runbook here",
        "resolved ConceptCoherenceLow: runbook poor-recall-quality",
        "",
    ]
    assert list(alert_lines(())) == []
    assert survey_document(diagnosis(LEAK, node(NO)), alerts=ALERTS)["data"]["alerts"] == [
        {"name": "MemoryLeak", "firing": True, "node": "a", "issue": LEAK},
        {"name": "HostDown", "firing": True, "node": None, "issue": None},
        {"name": "ConceptCoherenceLow", "firing": False, "node": None, "issue": RECALL},
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.pop("issues"),
        lambda data: data.update(more=1),
        lambda data: data.update(present="MAYBE"),
        lambda data: data["issues"][0].update(checks_yes=-1),
        lambda data: data["issues"][0]["nodes"][0].pop("symptoms"),
        lambda data: data["alerts"][0].update(firing="yes"),
    ],
)
def test_the_schema_refuses_what_is_no_survey(spoil: Any) -> None:
    """Else validating would prove nothing."""
    document = survey_document(diagnosis(LEAK, node(YES)), alerts=ALERTS)
    spoil(document["data"])
    assert not Draft202012Validator(schema("report.v1")).is_valid(document)


def reviewed(weak: str = "", text: str = "a text") -> Reviewed:
    """One concept, looked at."""
    return Reviewed(
        RecentConcept("c", "default", "2026-01-01T12:34:56.789Z", 4, 0.456, (text, "second", "third")), weak
    )


def test_what_grows_for_certain_is_told_with_its_rate() -> None:
    """The three fastest; what may not grow at all is left out."""
    grows = (
        Growth("cache", 900.0, 800.0, 1000.0),
        Growth("texts", 50.0, -5.0, 105.0),
        Growth("graph", 20.0, 1.0, 39.0),
    )
    assert [line.text for line in look_lines(replace(node(NO), grows=grows))] == [
        "  grows: cache 900 MB/h, graph 20.0 MB/h"
    ]
    assert list(look_lines(replace(node(NO), grows=grows[1:2]))) == []


def test_the_weak_concepts_are_shown_where_the_issue_may_be() -> None:
    """Six of them, with two of their texts, shortened; on a healthy node none."""
    strong, weak = reviewed(), reviewed("coherence 0.46 < 0.65", text="x" * 99)
    looked = replace(node(UNKNOWN), reviewed=(*[strong] * 3, *[weak] * 7))
    lines = [line.text for line in look_lines(looked)]
    first = "    2026-01-01 12:34:56  default  4 episodes, coherence 0.46  weak: coherence 0.46 < 0.65"
    assert lines[:3] == [first, f'      "{"x" * 57}..."', '      "second"']
    assert lines[-1] == "    and 4 more concepts (--json has them all)"
    assert [line for line in lines if "episodes" in line] == [first] * 6
    assert list(look_lines(replace(looked, present=NO))) == []


def test_where_no_concept_is_weak_a_few_are_shown() -> None:
    """So that a person sees what they are like."""
    lines = [line.text for line in look_lines(replace(node(YES), reviewed=(reviewed(),) * 5))]
    assert sum("episodes" in line for line in lines) == 2
    assert lines[-1] == "    and 3 more concepts (--json has them all)"
    assert list(look_lines(node(YES))) == []


def test_a_text_cannot_drive_the_terminal() -> None:
    """Whoever wrote the episode."""
    looked = replace(node(YES), reviewed=(reviewed(text="a\x1b[2Jb\r\nc"),))
    assert all(line.text.isprintable() for line in look_lines(looked))


def test_evidence_is_told_even_where_half_of_it_is_missing() -> None:
    """What grew, that nothing grew, why there is none; as JSON with bytes and digests."""
    grew = tuple(PartGrowth(f"p{at}", 0, 4_000_000 - at) for at in range(5))
    found = (
        NodeEvidence("a", (Kept("/state/a-1.json", "f" * 64), Kept("/state/a-2.json", "0" * 64)), grew, 5.2),
        NodeEvidence("b", (Kept("/state/b-1.json", "1" * 64),), (), 5.2, "timed out"),
        NodeEvidence("c", (Kept("/state/c-1.json", "2" * 64), Kept("/state/c-2.json", "3" * 64)), (), 5.2),
    )
    assert [line.text for line in evidence_lines(found)] == [
        "heap of a: p0 +4.00 MB, p1 +4.00 MB, p2 +4.00 MB in 5 s",
        "  /state/a-1.json",
        "  /state/a-2.json",
        "heap of b: timed out",
        "  /state/b-1.json",
        "heap of c: nothing grew in 5 s",
        "  /state/c-1.json",
        "  /state/c-2.json",
    ]
    data = evidence_data(found)
    checker = Draft202012Validator({**schema("report.v1")["$defs"]["evidence"], "$defs": schema("report.v1")["$defs"]})
    for each in data:
        checker.validate(each)
    assert data[0]["grew"][0] == {"part": "p0", "before": 0, "after": 4_000_000}
    assert [each["message"] for each in data] == [None, "timed out", None]
