"""The Ansible inventory as the list of nodes: read directly where that is safe, else by `ansible-inventory`."""

from runbook.adapters.inventory.reading import read_inventory

__all__ = ["read_inventory"]
