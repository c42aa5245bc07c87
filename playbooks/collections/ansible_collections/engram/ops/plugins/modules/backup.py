"""Documentation of the action `backup`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: backup
short_description: Have a host back up its own Engram node, or prove or restore such a backup
description:
  - Runs the C(runbook) that is installed on the host, by the module C(engram.ops.host_runbook). The data goes from the
    node into a folder of its own host, and nowhere else; its report comes back.
options:
  work:
    description: What is done.
    type: str
    required: true
    choices: [create, verify, restore]
  target:
    description: What the fleet is called; it is a part of the name of a backup.
    type: str
    default: fleet
  backup_by_host:
    description: The name of the backup, host by host. Without it I(work=verify) takes the newest of the host's folder.
    type: dict
    default: {}
  level:
    description: For I(work=verify), how much is to be proven, 0 to 4. Without it 3.
    type: int
  recipients:
    description: For I(work=create), to whom it is encrypted with age.
    type: list
    elements: str
    default: []
  activate:
    description: For I(work=restore), serve what was restored.
    type: bool
    default: false
  state_here:
    description: Where hosts that are the controller itself have their state folders, C(hosts/NAME) below it.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
    description: It is only looked whether the command can be run.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Back up the node where its data is
  engram.ops.backup:
    work: create
    target: production
"""

RETURN = r"""
collected:
  description:
    - C(exit_code) of the command.
    - C(report) is the document that it printed, C(error) the one that it told instead; null where there is none.
  type: dict
  returned: when the command could be run
reason:
  description: Why the task failed, as a word, such as unreachable, locked, damaged, storage, not_supported.
  type: str
  returned: on failure
"""
