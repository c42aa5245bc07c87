"""Documentation of the action `rollback`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: rollback
short_description: Turn the feature flags of an Engram node off, and read them back
description:
  - The emergency brake of one node. Over HTTP all flags go off by one request, which the node applies as a whole.
  - On a node with C(engram_way=cli) or C(engram_way=file) they go off one after the other, blended recall first, then
    concepts, then the dual memory itself; one that fails keeps none of the others from it.
  - A node that accepts it and still shows a flag as on is a failure. A host without C(engram_url) is skipped.
options:
  what:
    description: C(features) turns concepts and blended recall off; C(full) the dual memory itself as well.
    type: str
    required: true
    choices: [features, full]
attributes:
  check_mode:
    support: full
    description: Predicts the change, and changes nothing.
  diff_mode:
    support: full
    description: Shows the flags before and after.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Back to a memory without concepts
  engram.ops.rollback:
    what: features
"""

RETURN = r"""
old:
  description: The flags before, as C(KEY=true) or C(KEY=false).
  type: list
  elements: str
  returned: when they could be read
read_back:
  description: The flags after.
  type: list
  elements: str
  returned: when they could be read
reason:
  description:
    - Why the task failed.
    - One of refused, not_supported, ignored, unreachable, usage, broken.
  type: str
  returned: on failure
retries:
  description: What was tried again, and why.
  type: list
  elements: str
  returned: when something was tried again
"""
