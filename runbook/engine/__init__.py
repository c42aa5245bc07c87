"""The use cases: pure decisions, and procedures over ports."""
