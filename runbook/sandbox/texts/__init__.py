"""Texts for the sandbox: a seeded generator with topics, and readers of real text."""
