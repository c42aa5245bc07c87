"""Backups of a node: made, proven, restored, pruned."""
