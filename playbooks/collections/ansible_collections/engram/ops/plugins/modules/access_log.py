"""The module `access_log`: runs on the splitter's host, counts its access log, changes nothing."""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.engram.ops.plugins.module_utils.access_log import LogError, count

DOCUMENTATION = r"""
module: access_log
short_description: Count the access log of an nginx that splits traffic
description:
  - Counts recalls and errors by group and space, in what is there of the log and of the files that were rotated away.
  - It is read line by line. What is no line of a splitter is counted, and looked at no further.
  - Only numbers and names of spaces come back, never what was asked.
options:
  path:
    description: The access log of the splitter.
    type: path
    required: true
  since:
    description: Only lines from then on, in seconds since 1970.
    type: float
    default: 0
  before:
    description: Only lines before then, in seconds since 1970; 0 is no limit.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    description: It only reads, so it does the same.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Count the last hour
  engram.ops.access_log:
    path: /var/log/nginx/engram-split.log
    since: "{{ now().timestamp() - 3600 }}"
"""

RETURN = r"""
collected:
  description:
    - C(spaces) has a row for each space, with its name, when it was first heard of in seconds since 1970, and recalls,
      errors, and errors that nginx itself answered, of control and then of treatment.
    - C(unlisted) has the same numbers by group of further spaces, C(nameless) of recalls without the name of a space.
    - C(other) has other calls and their errors by group, C(mirrored) those of copies.
    - C(lines), C(garbage) and C(torn) count lines; C(newest) is the time of the newest one that was counted.
  type: dict
  returned: on success
reason:
  description: Why it failed; refused.
  type: str
  returned: on failure
"""


def main() -> None:
    """Count, and say what was counted."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "since": {"type": "float", "default": 0},
            "before": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        found = count(Path(given["path"]), given["since"], given["before"] or float("inf"))
    except LogError as problem:
        module.fail_json(msg=str(problem), reason="refused")
    else:
        module.exit_json(changed=False, collected=found.document(), msg=f"{found.lines} lines")


if __name__ == "__main__":
    main()
