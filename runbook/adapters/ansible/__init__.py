"""Ansible: the plays of `playbooks/`, run by ansible-runner, with everything that leaks or lingers closed off."""

from runbook.adapters.ansible.plays import AnsiblePlays
from runbook.adapters.ansible.variables import Access

__all__ = ["Access", "AnsiblePlays"]
