"""ansible-playbook, driven by ansible-runner; nothing of that library leaks out of here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runbook.adapters.ansible.environment import HINT, child_environment, find_ansible, runner_environment, start_of
from runbook.adapters.ansible.events import Gathering
from runbook.adapters.ansible.variables import Request
from runbook.errors import ExitCode, NotSupportedError

MOST_FORKS = 50


def play(
    request: Request,
    path: Path,
    inventory: Path,
    into: tuple[Path, Gathering],
    cancelled: Callable[[], ExitCode | None],
) -> int | None:
    """Run ansible-playbook to its end; its exit code, or None where a signal ended it."""
    folder, gathering = into
    ansible = find_ansible()
    environment = child_environment(folder, path.parent / "collections", request.mark)
    runner = _prepared(
        private_data_dir=str(folder),
        playbook=str(path),
        inventory=str(inventory),
        limit=f"@{folder / 'hosts'}",
        forks=min(len(request.hosts), MOST_FORKS),
        settings={"pexpect_timeout": 0.2, "suppress_output_file": True, "suppress_ansible_output": True},
        suppress_env_files=True,
        quiet=True,
        event_handler=gathering.take,
        cancel_callback=lambda: (
            cancelled() is not None
        ),  # else ansible-runner takes the signal handlers of the whole process
    )
    runner.config.env = environment | runner_environment(runner.config.artifact_dir)
    runner.config.command[:1] = start_of(ansible)
    runner.config.cwd = str(folder)
    _, status = runner.run()
    return int(status) if isinstance(status, int) else None


def _prepared(**arguments: Any) -> Any:
    try:
        from ansible_runner.interface import init_runner  # noqa: PLC0415 - costs 75 ms; diagnosing goes without

        return init_runner(**arguments)
    except ImportError as problem:
        raise NotSupportedError(f"ansible-runner cannot be loaded: {problem}", hint=HINT) from None
    except SystemExit as problem:
        raise NotSupportedError(f"ansible-runner refused to start ({problem.code})", hint=HINT) from None
