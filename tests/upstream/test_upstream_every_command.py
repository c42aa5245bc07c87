"""Every command that takes a target, found by walking, against upstream Engram 0.1: none claims, none harms."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from upstream_fleet import UpstreamFleet

from runbook.cli.root import cli, run

Output = pytest.CaptureFixture[str]
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "upstream-server.md"
ARGUMENTS = {
    ("flags", "set"): ["dual_memory.enable_concepts=false"],
    ("config", "set"): ["dual_memory.concept_sample_rate=0.05"],
    ("backup", "restore"): ["there-is-none"],
    ("abtest", "assign"): ["alpha"],
}
"""What a command needs to be told; one that is not here needs nothing."""
OPTIONS = {
    ("export",): ["--format", "dual_memory", "--node", "up-1"],
    ("backup", "create"): ["--node", "up-1"],
    ("import",): ["--node", "up-1", "--drop"],
}
"""Options without which a command would only ask for them."""
SHORT = {"--window": "1s", "--watch": "10s", "--deadline": "5s", "--reason": "test"}
WELL = {
    ("nodes",),
    ("monitoring", "scrape"),
    ("check",),
    ("rollout", "plan"),
    ("flags", "history"),
    ("config", "history"),
}
"""What can end well without any node being as this tool needs it."""
ENDS_BY_ITSELF = {"diagnose": ("--watch",), "validate": ("--watch",)}
"""Options that would go on until Ctrl-C."""


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that lead to it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*words, name))


WITH_TARGET = {
    words: found for words, found in leaves(cli) if any("--target" in parameter.opts for parameter in found.params)
}


def typed(words: tuple[str, ...]) -> list[str]:
    """What a person types: the arguments that it needs, and the options that make it go on unasked."""
    said = [*words, *OPTIONS.get(words, ())]
    forbidden = ENDS_BY_ITSELF.get(words[0], ())
    for parameter in WITH_TARGET[words].params:
        if isinstance(parameter, click.Argument):
            said += ARGUMENTS[words] if parameter.required and "--drop" not in said else []
            continue
        for option in parameter.opts:
            if option in SHORT and option not in forbidden and not getattr(parameter, "is_flag", False):
                said += [option, SHORT[option]]
            if option in {"--yes", "--act"}:
                said.append(option)
    return said


def documented() -> dict[tuple[str, ...], int]:
    """The exit codes that the page on the upstream server promises, by command; without those of further options."""
    rows = re.findall(r"^\| (.*?) \| .* \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = ((tuple(words.split()), int(code)) for cell, code in rows for words in re.findall(r"`runbook (.*?)`", cell))
    return {words: code for words, code in named if not any(word.startswith("-") for word in words)}


def test_what_is_documented_exists() -> None:
    """And is a good part of it."""
    assert documented().keys() <= WITH_TARGET.keys()
    assert len(documented()) >= 11


def test_the_walk_finds_them() -> None:
    """A walk over nothing would prove nothing."""
    assert {("nodes",), ("doctor",), ("high-formation-rate",), ("baseline", "capture")} <= WITH_TARGET.keys()


@pytest.mark.parametrize("words", sorted(WITH_TARGET), ids=" ".join)
def test_it_neither_claims_nor_harms(fleet: UpstreamFleet, capsys: Output, words: tuple[str, ...]) -> None:
    """A documented exit code that is no success, a word to the person, and the servers as they were."""
    code = run(typed(words))
    told = capsys.readouterr()
    assert code != 1, told.err
    assert code == documented().get(words, code), told.out + told.err
    assert told.out + told.err
    if words not in WELL:
        assert code != 0, told.out
    assert "= true" not in told.out
    assert "= false" not in told.out
    fleet.unharmed()
