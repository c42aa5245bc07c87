"""Executable, proven runbooks for the Engram dual-memory rollout and its incidents."""

__version__ = "0.1.0"
