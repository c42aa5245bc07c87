"""Rollouts on the command line: what each command does; the commands themselves are in `commands`."""
