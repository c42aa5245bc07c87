"""`runbook.toml`: what is read, where it is looked for, and how its faults are named."""

import os
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from runbook.config import load_config
from runbook.errors import DamagedError, NotSupportedError, RunbookError, UsageError
from runbook.model.configuration import Automatic, ServeSettings
from runbook.model.rails import NO_RAILS, Rails
from runbook.model.risk import Risk

WHOLE = """
version = 1
default_target = "prod"

[targets.prod]
environment = "production"
inventory = "inventories/prod.yml"
prometheus = "https://prometheus.example:9090/base/"
token_file = "/etc/engram/token"
allow_plain_http = true

[targets.test]
environment = "test"
inventory = "/abs/test.yml"
"""


def write(folder: Path, text: str | bytes) -> Path:
    """A configuration in that folder."""
    path = folder / "runbook.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_everything_is_typed_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """The whole format, once."""
    config = load_config({}, write(tmp_path, WHOLE))
    assert config.path == tmp_path / "runbook.toml"
    assert config.default_target == "prod"
    prod, test = config.targets["prod"], config.targets["test"]
    assert (prod.name, prod.environment) == ("prod", "production")
    assert prod.inventory == tmp_path / "inventories/prod.yml"
    assert prod.token_file == Path("/etc/engram/token")
    assert prod.prometheus == "https://prometheus.example:9090/base"
    assert prod.allow_plain_http is True
    assert test.inventory == Path("/abs/test.yml")
    assert (test.prometheus, test.token_file, test.allow_plain_http) == (None, None, False)


def test_what_serves_and_what_an_alert_may_do_is_typed(tmp_path: Path) -> None:
    """And nothing is automatic where nothing is said."""
    automatic = "[targets.test.automatic]\nissues = ['memory-leak']\nmax_risk = 'medium'\nmost_per_day = 1\n"
    served = "[serve]\nport = 0\nhosts = ['a.example']\nwebhook_token_file = 't'\nsettle = '1s'\n"
    config = load_config({}, write(tmp_path, WHOLE + automatic + served))
    assert config.targets["prod"].automatic.issues == ()
    assert config.targets["test"].automatic == Automatic(("memory-leak",), Risk.MEDIUM, 1, timedelta(hours=1))
    token = tmp_path / "t"
    assert config.serve == ServeSettings("127.0.0.1", 0, ("a.example",), token, timedelta(seconds=1))
    assert load_config({}, write(tmp_path, WHOLE)).serve == ServeSettings()


A_TARGET = "version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 'i'\n"
RAILS = A_TARGET + "[targets.a.rails]\n"
FAULTS = [
    (A_TARGET + "[targets.a.automatic]\nissues = ['memory-leek']", "automatic.issues.0: there is no", "memory-leak"),
    (
        A_TARGET.replace("a]", "prod]") + "# [targets.prd]\n[targets.prd.automatic] # by itself\nissues = []",
        "line 6: [targets.prd.automatic]: there is no target prd",
        "did you mean prod?",
    ),
    (A_TARGET + '[targets."b".rails]', 'line 5: [targets."b".rails]: there is no target b', "known: a"),
    (
        "version = 1\ntargets.a = {environment = 'e', inventory = 'i'}\ntargets.b.rails = {}",
        "targets.b: there is no",
        "",
    ),
    (A_TARGET + "[targets.a.automatic]\nmax_risk = 'low'", "targets.a.automatic.issues: missing", "incidents"),
    (A_TARGET + "[targets.a.automatic]\nissues = []\ncool_down = '1x'", "automatic.cool_down: ", "30s"),
    ("version = 1\n[serve]\nport = 70000", "serve.port", "port"),
    ("version = 1\n[serve]\nhosts = 'a'", "serve.hosts: must be a list", "may be asked"),
    ("version = 1\n[serve]\nhosts = ['a:80']", "serve.hosts.0: does not have", "without a port"),
    ("version = 1\n[serve]\ntoken = 'x'", "serve.token: unknown key", "webhook_token_file"),
    ("version = 1\n[targets.a]\nenvironment = 'e'\ninventroy = 'i'", "targets.a.inventroy", "did you mean inventory?"),
    ("version = 1\ndefault = 'x'", "default: unknown key", "did you mean default_target?"),
    ("version = 1\n[targets.a]\nenvironment = 'e'", "targets.a.inventory: missing", "Ansible inventory"),
    ("[targets]", "version: missing", "version = 1"),
    ("version = '1'", "version: must be 1", ""),
    ("version = true", "version: must be 1", ""),
    ("version = 1\ntargets = 3", "targets: must be a table", ""),
    ("version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 3", "targets.a.inventory: must be a text", ""),
    (
        "version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 'i'\nallow_plain_http = 'no'",
        "targets.a.allow_plain_http: must be true or false",
        "",
    ),
    (
        "version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 'i'\nprometheus = 'http://u:p@h'",
        "targets.a.prometheus",
        "without user",
    ),
    ("version = 1\n[targets.'a b']\nenvironment = 'e'\ninventory = 'i'", "'a b' is not allowed", "letters"),
    ('version = 1\n[targets."a\\n"]\nenvironment = "e"\ninventory = "i"', r"'a\n' is not allowed", "letters"),
    (
        "version = 1\ndefault_target = 'prd'\n[targets.prod]\nenvironment='e'\ninventory='i'",
        "targets.prd",
        "mean prod?",
    ),
    (
        RAILS + "max_host_per_run = 3",
        "targets.a.rails.max_host_per_run: unknown key",
        "did you mean max_hosts_per_run?",
    ),
    (RAILS + "max_hosts_per_run = 0", "targets.a.rails.max_hosts_per_run: must be at least 1, not 0", "most nodes"),
    (
        RAILS + "max_steps_per_hour = 'x'",
        "targets.a.rails.max_steps_per_hour: must be a whole number",
        "within an hour",
    ),
    (RAILS + "max_steps_per_hour = true", "targets.a.rails.max_steps_per_hour: must be a whole number", ""),
    (RAILS + "allowed_risk = 'disruptiv'", "targets.a.rails.allowed_risk: 'disruptiv'", "did you mean disruptive?"),
    (RAILS + "require_approval = true", "targets.a.rails.require_approval: True", "known: disruptive, low, medium"),
    (RAILS + "cool_down = '30'", "targets.a.rails.cool_down: '30' is not a length of time", "30m"),
    (RAILS + "cool_down = 30", "targets.a.rails.cool_down: must be a text", "such as `30m`"),
    (RAILS + "approval_expires = '0s'", "targets.a.rails.approval_expires: must be more than 0s", "in no time"),
    (A_TARGET + "cool_down = '30m'", "targets.a.cool_down: unknown key", "under [targets.NAME.rails]"),
    (A_TARGET + "rails = 3", "targets.a.rails: must be a table", "never held up"),
    (A_TARGET + "warm_up = 'soon'", "targets.a.warm_up: 'soon' is not a length of time", "10m"),
    ("version = 1\nversion = 1", "Cannot overwrite a value", "TOML"),
    ("version = 1\n[targets.a\n", "line 2", "TOML"),
    (b"version = 1\n# \xff", "line 2, byte 14: not UTF-8", "UTF-8"),
    (b"\x00\x01\x02", "line 1", "TOML"),
    ("x = " + "[" * 100_000, "runbook.toml", ""),
    (b"#" * (1 << 21), "larger than", ""),
]


@pytest.mark.parametrize(("text", "place", "hint"), FAULTS, ids=[str(fault[1]) for fault in FAULTS])
def test_a_fault_is_named_with_file_place_and_hint(tmp_path: Path, text: str | bytes, place: str, hint: str) -> None:
    """Exit code 12, and the person knows where to put the cursor."""
    path = write(tmp_path, text)
    with pytest.raises(DamagedError) as caught:
        load_config({}, path)
    assert str(path) in caught.value.message
    assert place in caught.value.message
    assert hint in caught.value.hint


def test_rails_and_warm_up_are_as_usual_where_nothing_is_said(tmp_path: Path) -> None:
    """Production needs a reason and rests after a rollback; each key alone can be said otherwise."""
    targets = load_config({}, write(tmp_path, WHOLE)).targets
    assert targets["prod"].rails == Rails(require_reason=True, cool_down=timedelta(minutes=30))
    assert targets["test"].rails == NO_RAILS
    assert targets["test"].warm_up == timedelta(minutes=5)
    text = (
        "version = 1\n[targets.a]\nenvironment = 'Prod'\ninventory = 'i'\nwarm_up = '90s'\n[targets.a.rails]\n"
        "max_hosts_per_run = 3.0\nmax_steps_per_hour = 4\nallowed_risk = 'medium'\nrequire_approval = 'low'\n"
        "cool_down = '0s'\napproval_expires = '2h'"
    )
    target = load_config({}, write(tmp_path, text)).targets["a"]
    assert target.warm_up == timedelta(seconds=90)
    assert target.rails == Rails(
        3, 4, Risk.MEDIUM, require_reason=True, require_approval=Risk.LOW, approval_expires=timedelta(hours=2)
    )


def test_another_version_is_not_supported_rather_than_damaged(tmp_path: Path) -> None:
    """Exit code 17: the file may be right, and this release too old."""
    with pytest.raises(NotSupportedError, match="version 2"):
        load_config({}, write(tmp_path, "version = 2\nunknown = 1"))


def test_a_password_in_a_url_is_not_repeated(tmp_path: Path) -> None:
    """Errors end up in logs."""
    text = "version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 'i'\nprometheus = 'http://u:hunter2@h'"
    with pytest.raises(DamagedError) as caught:
        load_config({}, write(tmp_path, text))
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("named_by", ["--config", "RUNBOOK_CONFIG"])
def test_a_file_that_was_named_must_be_there(tmp_path: Path, named_by: str) -> None:
    """A typo never falls through to another configuration."""
    missing = tmp_path / "missing.toml"
    environ = {"RUNBOOK_CONFIG": str(missing)} if named_by == "RUNBOOK_CONFIG" else {}
    with pytest.raises(UsageError) as caught:
        load_config(environ, missing if named_by == "--config" else None)
    assert named_by in caught.value.hint


def test_a_folder_in_its_place_is_damage(tmp_path: Path) -> None:
    """What cannot be read is named with the system's reason."""
    with pytest.raises(DamagedError, match="cannot be read"):
        load_config({}, tmp_path)


def test_a_file_without_permission_is_damage(tmp_path: Path) -> None:
    """Tried as another user, because root may read everything."""
    path = write(tmp_path, WHOLE)
    path.chmod(0)
    if os.geteuid() != 0:
        with pytest.raises(DamagedError, match="cannot be read"):
            load_config({}, path)
        return
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            load_config({}, path)
        except DamagedError as error:
            os._exit(int(error.code))
        except BaseException:  # noqa: BLE001  # the child must never return into pytest
            os._exit(99)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 12


def test_the_places_are_looked_at_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder, XDG_CONFIG_HOME, HOME; the environment's file and the explicit one before them."""
    here, xdg, home = tmp_path / "here", tmp_path / "xdg", tmp_path / "home"
    for folder in (here, xdg / "engram-runbook", home / ".config" / "engram-runbook"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    in_home = write(home / ".config" / "engram-runbook", "version = 1")
    assert load_config({"HOME": str(home)}, None).path == in_home
    in_xdg = write(xdg / "engram-runbook", "version = 1")
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(xdg)}
    assert load_config(environ, None).path == in_xdg
    write(here, "version = 1\n[targets.a]\nenvironment = 'e'\ninventory = 'i.yml'")
    config = load_config(environ, None)
    assert config.path == Path("runbook.toml")
    assert config.targets["a"].inventory == here / "i.yml"
    assert load_config(environ | {"RUNBOOK_CONFIG": str(in_home)}, None).path == in_home
    assert load_config(environ | {"RUNBOOK_CONFIG": str(in_home)}, in_xdg).path == in_xdg


def test_without_a_file_there_is_an_empty_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox needs none."""
    monkeypatch.chdir(tmp_path)
    config = load_config({"HOME": str(tmp_path)}, None)
    assert (config.path, config.default_target, dict(config.targets)) == (None, None, {})


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    """The reference page's example is read, and names every key of the schema."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
    example = page.read_text().split("```toml")[1].split("```")[0]
    load_config({}, write(tmp_path, example))
    whole = tomllib.loads(example)
    first, *_ = whole["targets"].values()
    from runbook.material import schema  # noqa: PLC0415  # beside its only use

    known = schema("config.v1")["$defs"]
    assert set(first) == set(known["target"]["properties"])
    for table in ("rails", "automatic"):
        assert set(first[table]) == set(known[table]["properties"])
    assert set(whole["serve"]) == set(known["serve"]["properties"])


def test_every_fault_is_a_runbook_error(tmp_path: Path) -> None:
    """Cut anywhere, the file gives an answer or a named fault, never a traceback."""
    for end in range(len(WHOLE)):
        try:
            load_config({}, write(tmp_path, WHOLE[:end]))
        except RunbookError as error:
            assert error.message  # noqa: PT017  # most cuts are faults, some are whole documents


def test_a_name_that_no_file_can_have_is_said_and_is_no_bug() -> None:
    """A path that cannot even be looked at."""
    with pytest.raises(DamagedError, match="too long"):
        load_config({}, Path("a" * 5000))


def test_the_brake_reads_past_a_misspelt_table(tmp_path: Path) -> None:
    """Nobody waits for `[targets.prd.automatic]` to be mended before the flags go off; unless it is the very target."""
    stray = "[targets.tst.automatic]\nissues = []\n"
    assert list(load_config({}, write(tmp_path, WHOLE + stray), quick=True).targets) == ["prod", "test"]
    with pytest.raises(DamagedError, match=r"\[targets\.tst\.automatic\]: there is no target tst") as caught:
        load_config({}, write(tmp_path, WHOLE.replace('"prod"', '"tst"') + stray), quick=True)
    assert caught.value.hint.startswith("did you mean test?")
