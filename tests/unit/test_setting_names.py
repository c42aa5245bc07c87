"""What a person types for settings: names, whole or short, with values; typing errors are told with what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.errors import UsageError
from runbook.model.setting_names import assigned, named, names_of, short
from runbook.model.settings import CATALOGUE, Kind, Setting
from runbook.report.lines import shown

every_setting = pytest.mark.parametrize("setting", CATALOGUE.values(), ids=lambda setting: setting.key)


@every_setting
def test_a_setting_is_found_by_both_its_names(setting: Setting) -> None:
    """And by the other command it is refused, with the command that it is for."""
    for word in (setting.key, short(setting.key)):
        assert named(word, setting.kind) is setting
        other = next(kind for kind in Kind if kind is not setting.kind)
        with pytest.raises(UsageError, match=f"{setting.key} is not for") as caught:
            named(word, other)
        assert caught.value.hint.startswith("it is for: runbook ")


@every_setting
def test_its_default_can_be_typed_both_ways(setting: Setting) -> None:
    """As `KEY VALUE` and as `KEY=VALUE`."""
    text = "" if setting.default == () else shown(setting.default)
    wanted = {setting.key: setting.default}
    assert assigned([setting.key, text], setting.kind) == wanted
    assert assigned([f"{short(setting.key)}={text}"], setting.kind) == wanted


def test_several_in_the_order_in_which_they_were_said() -> None:
    """The two ways may be mixed, and a value may hold an equals sign."""
    words = ["semantic_weight=0.2", "treatment_salt", "a=b", "dual_memory.min_cluster_size", "4"]
    assert list(assigned(words, Kind.CONFIG).items()) == [
        ("dual_memory.semantic_weight", 0.2),
        ("dual_memory.treatment_salt", "a=b"),
        ("dual_memory.min_cluster_size", 4),
    ]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["semantic_weigth", "1"], "no setting is called", "did you mean dual_memory.semantic_weight?"),
        (["enable_conceps", "1"], "no setting is called", "did you mean dual_memory.enable_concepts? (runbook flags)"),
        (["xyz", "1"], "no setting is called", "one of: dual_memory."),
        (["semantic_weight"], "no value for", "semantic_weight VALUE"),
        (["semantic_weight", "2"], "out of range", "0 to 1"),
        (["semantic_weight", "much"], "type number", ""),
        (["semantic_weight", "1", "dual_memory.semantic_weight=1"], "said twice", ""),
        (["=1"], "no setting is called ''", "one of:"),
        ([], "nothing was said", "config set KEY VALUE"),
    ],
)
def test_what_does_not_read_is_told(words: list[str], message: str, hint: str) -> None:
    """With what was meant, where that can be guessed."""
    with pytest.raises(UsageError) as caught:
        assigned(words, Kind.CONFIG)
    assert message in caught.value.message
    assert hint in caught.value.hint


@given(some.lists(some.text(max_size=12) | some.sampled_from([*CATALOGUE, "=", "true"]), max_size=5))
def test_any_words_are_values_or_a_usage_error(words: list[str]) -> None:
    """Never anything else."""
    for kind in Kind:
        try:
            wanted = assigned(words, kind)
        except UsageError:
            continue
        assert set(wanted) <= set(names_of(kind))
