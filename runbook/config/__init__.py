"""Where things are kept and who is worked on: the state folder, `runbook.toml` and the choice of a target."""

from runbook.config.state import state_folder

__all__ = ["state_folder"]
