"""Documentation of the action `data`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: data
short_description: Have a host back up its own Engram node, prove or restore a backup of it, or migrate it
description:
  - Runs the C(runbook) that is installed on the host, by the module C(engram.ops.host_runbook). The data goes from the
    node into a folder of its own host, and nowhere else; its report comes back.
options:
  work:
    description: What is done.
    type: str
    required: true
    choices: [create, verify, restore, activate, migrate, revert, finalize]
  target:
    description: What the fleet is called; it is a part of the name of a backup.
    type: str
    default: fleet
  backup_by_host:
    description:
      - The name or the whole path of the backup, host by host.
      - Without it I(work=verify) takes the newest of the host's folder.
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
  to:
    description: For I(work=migrate), what the data becomes, C(single_memory) or C(dual_memory).
    type: str
    default: ''
  run_by_host:
    description: For I(work=revert) and I(work=finalize), the migration in the journal of the host, host by host.
    type: dict
    default: {}
  reason:
    description: Why; the journal of the host keeps it.
    type: str
    default: ''
  options:
    description: More options for that command of C(runbook), a word each, such as C(--concepts=keep).
    type: list
    elements: str
    default: []
  state_here:
    description: Where hosts that are the controller itself have their state folders, C(hosts/TARGET/NAME) below it.
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
  engram.ops.data:
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
