"""A check that cannot fail is worthless: one wrong name of every kind is planted, and found; what is no name is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.adapters.documents import Around
from runbook.cli.check_known import known
from runbook.engine.check import Known, Named, names_in, names_in_issue, names_in_material, names_in_messages, read
from runbook.engine.check.markdown import ELSEWHERE, HERE
from runbook.engine.check.named import Kind
from runbook.issues.high_formation_rate import RUNBOOK
from runbook.model.runbook import Play

ROOT = Path(__file__).resolve().parents[2]
Names = Callable[..., list[Named]]

# kind, text, the name that does not exist, the nearest that does
PLANTED = [
    (Kind.COMMAND, "`runbook audt verify`", "runbook audt", "runbook audit"),
    (Kind.COMMAND, "`runbook audit show|verfy`", "runbook audit verfy", "runbook audit verify"),
    (Kind.COMMAND, "```sh\nexport A=b; x=$(runbook runz --last --id)\n```", "runbook runz", "runbook runs"),
    (Kind.COMMAND, "```console\n$ sudo -u runbook runbook resum RUN\n```", "runbook resum", "runbook resume"),
    (Kind.COMMAND, "```sh\n.venv/bin/runbook audi verify\n```", "runbook audi", "runbook audit"),
    (Kind.COMMAND, "```sh\npython3 -m runbook audi verify\n```", "runbook audi", "runbook audit"),
    (Kind.OPTION, "`runbook undo RUN --yess`", "runbook undo --yess", "runbook undo --yes"),
    (
        Kind.OPTION,
        "```sh\nrunbook undo RUN \\\n  --reason 'x --y' --forze\n```",
        "runbook undo --forze",
        "runbook undo --force",
    ),
    (Kind.OPTION, "With `--allow-disruptiv` it is taken.", "--allow-disruptiv", "--allow-disruptive"),
    (Kind.ARGUMENT, "`runbook completion tcsh`", "tcsh", ""),
    (Kind.ARGUMENT, "`runbook doctor prod`", "runbook doctor prod", ""),
    (Kind.ENGRAM_COMMAND, "```sh\nengram export --format dual_memory > backup.json\n```", "engram export", ""),
    (
        Kind.SETTING,
        "Set dual_memory.coherence_treshold.",
        "dual_memory.coherence_treshold",
        "dual_memory.coherence_threshold",
    ),
    (Kind.SETTING, "`engram config set min_cluster 5`", "min_cluster", ""),
    (Kind.METRIC, "Look at `engram_blended_recall_total`.", "engram_blended_recall_total", "engram_recall_total"),
    (
        Kind.METRIC,
        "```promql\nrate(engram_concepts_formed[5m]) > 1\n```",
        "engram_concepts_formed",
        "engram_concepts_formed_total",
    ),
    (Kind.METRIC, "`process_resident_memory_byte`", "process_resident_memory_byte", "process_resident_memory_bytes"),
    (Kind.LABEL, '`engram_recall_total{grop="treatment"}`', "engram_recall_total{grop}", "group"),
    (Kind.ENDPOINT, "`GET /api/v1/system/info`", "GET /api/v1/system/info", "GET /api/v1/system/health"),
    (
        Kind.ENDPOINT,
        "`GET, PUT /api/v1/admin/features`",
        "PUT /api/v1/admin/features",
        "GET, POST /api/v1/admin/features",
    ),
    (Kind.ENDPOINT, "`curl -s http://localhost:7432/metrics`", "GET /metrics", "GET /metrics/prometheus"),
    (Kind.ENDPOINT, "`curl -s localhost:7432/metrics`", "GET /metrics", "GET /metrics/prometheus"),
    (
        Kind.ENDPOINT,
        "```sh\ncurl -d '{}' $URL/api/v1/admin/cells\n```",
        "POST /api/v1/admin/cells",
        "GET /api/v1/admin/cells",
    ),
    (
        Kind.ENDPOINT,
        "`POST /api/v1/admin/chaos/kill/enable`",
        "POST /api/v1/admin/chaos/kill/enable",
        "GET, POST, DELETE /api/v1/admin/chaos/{fault}",
    ),
    (Kind.ENDPOINT, "`GET /api/v1/admin/exported`", "GET /api/v1/admin/exported", "GET /api/v1/admin/export"),
    (Kind.FAULT, "`runbook sandbox inject high-formatoin`", "high-formatoin", "high-formation"),
    (Kind.FAULT, "`POST /api/v1/admin/chaos/latenzy`", "latenzy", "latency"),
    (Kind.PLAYBOOK, "`ansible-playbook playbooks/set_konfig.yml`", "set_konfig", "set_config"),
    (Kind.PLAYBOOK, "undone by `restore_configs`", "restore_configs", "restore_config"),
    (
        Kind.INPUT,
        '```sh\nansible-playbook playbooks/set_config.yml \\\n -e \'{"keys": 1,\n "value": 2}\'\n```',
        "keys",
        "key",
    ),
    (Kind.VARIABLE, "```yaml\nall:\n  vars:\n    engram_token_flie: x\n```", "engram_token_flie", "engram_token_file"),
    (Kind.ENVIRONMENT, "`RUNBOOK_TARGTE=prod runbook runs`", "RUNBOOK_TARGTE", "RUNBOOK_TARGET"),
    (Kind.KEY, '```toml\ndefault_target = "a"\n[targets.a]\nenviroment = "x"\n```', "enviroment", "environment"),
    (Kind.EVENT, "journals `step.outcom`", "step.outcom", "step.outcome"),
    (Kind.EXIT_CODE, "It ends with exit code 6.", "6", ""),
    (Kind.EXIT_CODE, "```console\n$ runbook doctor\n(exit 6)\n```", "6", ""),
    (Kind.EXIT_CODE, "| exit code | says |\n|---|---|\n| 6 | x |", "6", ""),
    (Kind.FILE, "`runbook/issues/nothing_at_all.py`", "runbook/issues/nothing_at_all.py", ""),
    (Kind.LINK, "[there](docs/nowhere.md)", "docs/nowhere.md", ""),
    (Kind.ANCHOR, "[there](README.md#instal)", "README.md#instal", "install"),
    (Kind.ANCHOR, "# One\n\n[here](#two)", "#two", ""),
]


@pytest.fixture(scope="module")
def told() -> Known:
    """Everything that there is."""
    return known()


@pytest.fixture(scope="module")
def names(told: Known) -> Names:
    """What a text names, as a document in the project's root would."""

    def of(text: str, *, own: bool = True) -> list[Named]:
        return names_in(read(text), told, Around(ROOT / "x.md", (ROOT,)), own=own)

    return of


def test_every_kind_is_planted() -> None:
    """A new kind of name needs a wrong one here."""
    assert {kind for kind, *_ in PLANTED} == set(Kind)


@pytest.mark.parametrize(("kind", "text", "name", "meant"), PLANTED)
def test_a_wrong_name_is_found(names: Names, kind: Kind, text: str, name: str, meant: str) -> None:
    """By itself, with its kind, its line, and the nearest name that exists."""
    (missing,) = [named for named in names(f"Before.\n\n{text}\n") if not named.exists]
    assert (missing.kind, missing.name) == (kind, name)
    assert missing.meant.startswith(meant)
    assert bool(missing.meant) == bool(meant)
    assert name.rpartition(" ")[2].partition("{")[0].rpartition("#")[2] in "\n".join(
        text.splitlines()[missing.line - 3 :]
    )


@pytest.mark.parametrize(("kind", "text", "name", "meant"), [each for each in PLANTED if each[0] is not Kind.EVENT])
def test_it_is_found_in_another_s_runbook_too(names: Names, kind: Kind, text: str, name: str, meant: str) -> None:
    """It names one command that exists. An exit code beside no `runbook ...` may be any program's."""
    missing = [named for named in names(f"`runbook runs`\n\n{text}\n", own=False) if not named.exists]
    told = [(named.kind, named.name) for named in missing]
    assert told == [(kind, name)] or (kind is Kind.EXIT_CODE and "runbook" not in text and told == [])


@pytest.mark.parametrize(
    "text",
    [
        "The runbook says: run the checks. A runbook resumes nothing; see the runbook pages.",
        "`cargo build --release`, `kubectl rollout undo`, `git log --oneline`, `--no-color`, `-x`",
        "```sh\ncd runbook && ls; git clone https://x.example/runbook here\npip install runbook extras\nexit 42\n```",
        "```sh\nansible-playbook -i inv.yml site.yml --check --diff -e foo=1 --limit web\n```",
        "```sh\ncurl -sf https://prometheus.example:9090/api/v1/query?query=up\ncurl https://shop.example/health\n```",
        "```sh\ncurl shop.example:80/metrics https://shop.example/metrics prometheus.example:9090/api/v1/query\n```",
        "```sh\nrunbook COMMAND --help; runbook undo <RUN> --yes; runbook undo $RUN -y\n```",
        "```sh\nrunbook runs|head 2>&1 >x.txt &\n```",
        "`runbook undo RUN [--yes]`, `runbook ...`, `runbook {issue} --act`, `runbook NAME`",
        "```rust\npub async fn process_request(&self) { engram_core::go(); let engram_client = 1; }\n```",
        "```python\nengram_client = make()\nprocess_id = 4\n```",
        "`dual_memory_types`, `conf/dual_memory.yml` and `dual_memory.rs`; `dual_memory.*`; `engram_recall_*`",
        "`/api/v1/admin/...`, `GET /api/v1/memories/{id}`, `DELETE /api/v1/memories/<id>`",
        "`/api/v1/admin`, `/var/health/x`",
        "`POST /api/v1/admin/chaos/{fault}`, `GET /api/v1/memories/recall?query=x&observe=false`",
        '`engram_recall_total{group="treatment", instance=~"a.*"}`, `engram_recall_duration_seconds_bucket{le="1"}`',
        "`engram start`, `engram status --json`, `engram config set server.http_bind 0.0.0.0`, `engram config get KEY`",
        "[web](https://x.example/nowhere.md), [mail](mailto:a@b.example), [site](/top.md), <https://x.example>",
        "rsync ended with exit code 23. A killed process ends with exit code 137.",
        '```toml\n[package]\nname = "engram"\n[targets]\nx = 1',
        "```yaml\n- hosts: all\n  vars: {engram_url: 'http://x', ansible_user: y}\n```",
        "`~/tools/x`, `/usr/share/docs/x.md`, `$HOME/docs/y.md`, `<checkout>/docs/z.md`",
        "```sh\nkubectl set env deployment/engram DUAL=false\nkubectl get pods -l app=engram -w\n```",
        "```sh\ndocker stop engram now\n```",
        "`pip install --no-deps x`, `--run` and `--runs` of a benchmark, `tools/of/theirs.py`",
        "`$RUNBOOK`, `RUNBOOK`, `MY_RUNBOOK_URL`",
        "| code | says |\n|---|---|\n| 6 | another table |",
        f"{ELSEWHERE}\n`runbook nonsense` and `GET /api/v1/nonsense`\n\n{HERE}",
        "",
        "\n\n```\n",
        "# `\n[ ]( ) | \\ `` ` ``\n* \n> ```sh\n> runbook",
    ],
)
def test_no_false_alarm(names: Names, text: str) -> None:
    """Ordinary prose, shell, other tools' commands, placeholders, odd Markdown."""
    assert [(named.kind, named.name) for named in names(text, own=False) if not named.exists] == []


def test_what_is_named_right_is_counted(names: Names) -> None:
    """Else nothing missing would mean nothing looked at."""
    text = (
        '`runbook audit show --last 3`, `engram_recall_total{group="x"}`, `PATCH /api/v1/admin/config`, exit code 13, '
        "`dual_memory.enabled`, `playbooks/set_config.yml`, `runbook/errors.py`, [r](README.md#install)"
    )
    found = [(named.kind.value, named.name) for named in names(text)]
    assert sorted(found) == sorted(
        [
            ("command", "runbook audit"),
            ("command", "runbook audit show"),
            ("option", "runbook audit show --last"),
            ("metric", "engram_recall_total"),
            ("label", "engram_recall_total{group}"),
            ("endpoint", "PATCH /api/v1/admin/config"),
            ("exit code", "13"),
            ("setting", "dual_memory.enabled"),
            ("playbook", "set_config"),
            ("file", "runbook/errors.py"),
            ("anchor", "README.md#install"),
        ]
    )


def test_after_another_system_s_names_ours_count_again(names: Names) -> None:
    """And the lines between are counted, so that nobody hides a document in them unseen."""
    text = f"{ELSEWHERE}\n`runbook one`\n\n{HERE}\n`runbook two`\n"
    assert [named.name for named in names(text)] == ["runbook two"]
    assert read(text).passed_over == 4


def test_an_issue_is_checked(told: Known) -> None:
    """Its metrics, settings, playbooks, and the commands and options of its sentences."""
    source = "..."
    assert [named for named in names_in_issue(RUNBOOK, source, told) if not named.exists] == []
    leading = RUNBOOK.leading
    quantity = replace(leading.condition.quantity, metric="engram_nothing_total")
    step = replace(RUNBOOK.steps[0], do=Play("set_nothing", "dual_memory.nothing"))
    broken = replace(
        RUNBOOK,
        leading=replace(leading, condition=replace(leading.condition, quantity=quantity)),
        steps=(step,),
        escalate="Run it with --allow-nothing, then `runbook nothing`, then runbook undo-nothing.",
    )
    missing = {(named.kind, named.name) for named in names_in_issue(broken, source, told) if not named.exists}
    assert missing == {
        (Kind.METRIC, "engram_nothing_total"),
        (Kind.PLAYBOOK, "set_nothing"),
        (Kind.SETTING, "dual_memory.nothing"),
        (Kind.OPTION, "--allow-nothing"),
        (Kind.COMMAND, "runbook nothing"),
        (Kind.COMMAND, "runbook undo-nothing"),
    }


def test_what_the_program_says_is_checked(told: Known) -> None:
    """Hints name commands too; docstrings are for those who read the code, and what comes later is said to."""
    source = (
        '"""Not `runbook nonsense`."""\nraise X("no", hint="runbook audt verify")\n'
        'say(f"then: runbook resume {run} --nw")\n'
        'say("runbook --help lists them")\nsay("runbook export (in a later release)")\n'
    )
    missing = [(named.line, named.name) for named in names_in_messages(source, told) if not named.exists]
    assert missing == [(2, "runbook audt"), (3, "runbook resume --nw")]


def test_rules_of_alerts_are_checked(told: Known) -> None:
    """Their expressions and their annotations, line by line."""
    rules = (
        "groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: rate(engram_recal_total[5m]) > 1\n"
        "        annotations: {runbook: 'runbook high-formation'}\n"
    )
    missing = [(named.line, named.name) for named in names_in_material(rules, told) if not named.exists]
    assert missing == [(5, "engram_recal_total"), (6, "runbook high-formation")]
