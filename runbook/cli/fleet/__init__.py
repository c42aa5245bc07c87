"""What `--all-nodes` does through Ansible: every host works on its own data."""
