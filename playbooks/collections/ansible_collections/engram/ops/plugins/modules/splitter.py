"""Documentation of the action `splitter`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: splitter
short_description: Split the traffic of a fleet on an nginx, and read back what it splits by
description:
  - Changes one of the three settings of the split, or several at once, and reads back what the running nginx splits by.
  - On the host, a candidate is rendered and checked by itself, put in the place of the old file atomically, the whole
    configuration is checked (C(nginx -t)), nginx is reloaded, and asked until it tells the new values.
  - Where one of these fails, the old file is put back, unless I(stays). nginx is never reloaded with what it refuses.
  - What was cut off half-way is mended when it is run again.
options:
  key:
    description:
      - C(dual_memory.treatment_rate), C(dual_memory.treatment_salt) or C(dual_memory.treatment_spaces).
      - Without it, I(value_by_host) has several of them by name for each host, set at once; or I(settings) are meant.
    type: str
    default: ""
  value:
    description: What it becomes. A text is read as a value of the type that the setting has.
    type: raw
  value_by_host:
    description:
      - What it becomes, host by host. A host that is not named is skipped; empty means that I(value) is for all.
      - A name that the inventory does not have fails the task before anything is touched.
    type: dict
    default: {}
  expected:
    description:
      - Compare and set. The running nginx must still have this value, or the new one already.
      - Otherwise the task fails with the reason C(conflict), and touches nothing.
    type: raw
  expected_by_host:
    description: The same, host by host.
    type: dict
    default: {}
  settings:
    description: Several settings by name, set at once; those that are null stay as they are.
    type: dict
    default: {}
  stays:
    description:
      - Leave the new file in place where nginx is down, does not answer, or was not reloaded, if it treats nobody whom
        the old one does not. Otherwise such an nginx would come up with its old share. The task fails all the same.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: The candidate is rendered and checked by itself; nothing is placed or reloaded.
  diff_mode:
    support: full
    description: Shows the old and the new value.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Treat one space in twenty
  engram.ops.splitter:
    key: dual_memory.treatment_rate
    value: 0.05
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
  description: The value that was asked for.
  type: raw
  returned: always
read_back:
  description: The value that the running nginx tells after the change; of several settings, all of them by name.
  type: raw
  returned: when it could be read
reason:
  description:
    - Why the task failed.
    - One of refused, not_supported, conflict, ignored, unknown_host, unreachable, usage, broken.
  type: str
  returned: on failure
"""
