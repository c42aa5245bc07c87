"""Where things are kept and who is worked on: the state folder, `runbook.toml` and the choice of a target."""

from runbook.config.choice import choose_target
from runbook.config.document import load_config, read_config
from runbook.config.state import state_folder
from runbook.model.configuration import Config, TargetSettings

__all__ = ["Config", "TargetSettings", "choose_target", "load_config", "read_config", "state_folder"]
