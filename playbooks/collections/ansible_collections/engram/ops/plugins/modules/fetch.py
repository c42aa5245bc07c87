"""Documentation of the action `fetch`; the action itself runs in the controller."""

DOCUMENTATION = r"""
module: fetch
short_description: Fetch a backup of a host into a folder of the controller
description:
  - The files go over Ansible's own connection, one after another, each to the disk; the manifest comes last. Only
    files whose names a backup has are fetched.
  - It proves nothing. Whoever fetches verifies at level 2 what came.
  - The user that Ansible logs in as must be able to read the backup; C(become) is not used for the files.
options:
  backup_by_host:
    description: The whole path of the backup on its host, host by host.
    type: dict
    required: true
  into_by_host:
    description: A folder of the controller, which is there and empty, host by host.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: It is only looked which files there are.
author:
  - The engram-runbook authors
"""

EXAMPLES = r"""
- name: Fetch the backup
  engram.ops.fetch:
    backup_by_host:
      node-1: /srv/engram/backups/20261127T094516Z-production-dual_memory-20fb063d8802.backup
    into_by_host:
      node-1: /var/tmp/node-1
"""

RETURN = r"""
reason:
  description: Why the task failed; one of unreachable, usage, refused, broken.
  type: str
  returned: on failure
"""
