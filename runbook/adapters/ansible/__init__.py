"""Ansible: the plays of `playbooks/`, run by ansible-runner, with everything that leaks or lingers closed off."""

from runbook.adapters.ansible.plays import AnsiblePlays

__all__ = ["AnsiblePlays"]
