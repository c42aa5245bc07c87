"""Show and set the flags of the nodes: what they are, what was set, what drifted."""

from runbook.cli.settings_command import settings_group
from runbook.model.settings import Kind

command = settings_group(Kind.FEATURE)
