"""The playbooks' collection is found beside the playbooks, as Ansible finds it."""

import sys

from runbook.material import folder

sys.path.insert(0, str(folder("playbooks") / "collections"))
