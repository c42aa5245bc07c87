"""Documentation of the action `setting`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: setting
short_description: Change one setting of an Engram node, or several, and read them back
description:
  - Reads the setting first, sets it only where it differs, and reads it back afterwards.
  - A node that accepts a value and ignores it is a failure.
  - Runs in the controller (C(engram_way=http)), by the node's own command on the host (C(engram_way=cli)), or edits the
    node's settings file on the host and restarts it (C(engram_way=file)).
options:
  kind:
    description: A feature is a flag; a config value is tuned.
    type: str
    required: true
    choices: [feature, config]
  key:
    description:
      - Name of the setting, such as C(dual_memory.concept_sample_rate).
      - Without it, I(value_by_host) has several settings by name for each host. They are set one after the other, and
        one that fails keeps none of the others from it.
    type: str
    default: ""
  value:
    description: What it becomes. A text is read as a value of the type that the node has.
    type: raw
  value_by_host:
    description:
      - What it becomes, host by host. A host that is not named is skipped; empty means that I(value) is for all.
      - A name that the inventory does not have fails the task before anything is touched.
    type: dict
    default: {}
  expected:
    description:
      - Compare and set. The node must still have this value, or the new one already.
      - Otherwise the task fails with the reason C(conflict), and touches nothing.
    type: raw
  expected_by_host:
    description: The same, host by host.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Predicts the change, and changes nothing.
  diff_mode:
    support: full
    description: Shows the old and the new value.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Sample fewer concepts
  engram.ops.setting:
    kind: config
    key: dual_memory.concept_sample_rate
    value: 0.05

- name: Switch concepts off, unless someone changed the flag since
  engram.ops.setting:
    kind: feature
    key: dual_memory.enable_concepts
    value: false
    expected: true
"""

RETURN = r"""
key:
  description: Name of the setting.
  type: str
  returned: always
old:
  description: The value before; of several settings, all of them by name.
  type: raw
  returned: when it could be read
new:
  description: The value that was asked for, in the type that the node has.
  type: raw
  returned: for one setting
read_back:
  description: The value that the node has after the change; of several settings, all of them by name.
  type: raw
  returned: when it could be read
reason:
  description:
    - Why the task failed.
    - One of refused, not_supported, conflict, ignored, unknown_host, unreachable, usage, broken.
  type: str
  returned: on failure
retries:
  description: What was tried again, and why.
  type: list
  elements: str
  returned: when something was tried again
"""
