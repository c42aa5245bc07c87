"""What every node is and can do, for people: reasons beside everything that is missing, and no more than fits."""

from runbook.model.answer import Answer
from runbook.model.capabilities import Ability, Can, Capabilities, Metrics, SpaceCount, TimedRecalls
from runbook.model.measurement import Silence
from runbook.model.play import Collected
from runbook.model.target import Node
from runbook.report.nodes import Surveyed, cannot_text, nodes_lines, recall_text, spaces_text

NODE = Node("n", "http://n")


def known(answer: Answer = Answer.YES, reason: str = "") -> Capabilities:
    """A node whose every ability has that answer."""
    abilities = tuple(Ability(what, answer, reason) for what in Can)
    return Capabilities("n", "engram 9", "healthy", abilities, Metrics.CONTRACT, spaces=(SpaceCount("default", 3),))


def text(each: Surveyed) -> str:
    """Its paragraph."""
    return "\n".join(line.text for line in nodes_lines([each]))


def test_a_node_that_can_everything_has_no_word_of_what_it_cannot() -> None:
    """Nor a hint."""
    shown = text(Surveyed(NODE, known()))
    assert "n  http://n  engram 9, healthy" in shown
    assert "runtime flags, configuration, leases, heap, recent concepts, measured cells" in shown
    assert "default 3" in shown
    assert "cannot" not in shown
    assert "hint" not in shown


def test_one_reason_is_said_once() -> None:
    """For all that it is the reason of; and the hint only where it cannot, not where that is not known."""
    assert cannot_text(known(Answer.NO, "no path")).count("no path") == 1
    assert "hint: nothing of it can be changed" in text(Surveyed(NODE, known(Answer.NO, "no path")))
    assert "hint" not in text(Surveyed(NODE, known(Answer.UNKNOWN, "refused")))


def test_a_silent_node_is_told_with_its_reason() -> None:
    """And what was collected of its host all the same."""
    document = {"pid": 7, "name": "engram", "started_at": 0.0, "anonymous_bytes": 2_000_000, "resident_bytes": 3e6}
    shown = text(Surveyed(NODE, Silence("n", "connection refused"), memory=Collected("n", document)))
    assert "connection refused" in shown
    assert "RssAnon 2.0 MB, VmRSS 3.0 MB; engram, process 7 since 1970-01-01T00:00:00+00:00" in shown
    assert "no such host" in text(Surveyed(NODE, known(), memory=Collected("n", None, "no such host")))


def test_recalls_that_ended_early_say_why() -> None:
    """What was measured still counts."""
    assert recall_text(TimedRecalls("n", "default", (0.001, 0.002, 0.009))) == (
        "3 in space default: median 2.0 ms, worst 9.0 ms"
    )
    assert recall_text(TimedRecalls("n", "default", (0.001,), "reset")).endswith("; then reset")
    assert recall_text(TimedRecalls("n", "x", (), "it has no space x")) == "it has no space x"


def test_many_spaces_are_summed_up() -> None:
    """The largest by name."""
    spaces = [SpaceCount(f"s{number}", number) for number in range(100)]
    assert spaces_text(spaces).startswith("s99 99, s98 98")
    assert spaces_text(spaces).endswith("and 92 more; 4950 memories in 100 spaces")
    assert spaces_text([]) == "none"
