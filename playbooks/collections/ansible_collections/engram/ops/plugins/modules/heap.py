"""Documentation of the action `heap`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: heap
short_description: Read what an Engram node keeps in memory
description:
  - Asks C(POST /api/v1/admin/heap) from the controller, and hands the answer on.
  - Changes nothing. A node without that path fails with the reason C(not_supported).
  - An answer of more than 512 KiB is refused.
options: {}
attributes:
  check_mode:
    support: full
    description: It only reads, so it does the same.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Look into the heap
  engram.ops.heap:
"""

RETURN = r"""
collected:
  description: The node's answer.
  type: dict
  returned: on success
reason:
  description:
    - Why the task failed.
    - One of refused, not_supported, unreachable, usage, broken.
  type: str
  returned: on failure
retries:
  description: What was tried again, and why.
  type: list
  elements: str
  returned: when something was tried again
"""
