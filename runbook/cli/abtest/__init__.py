"""What `runbook abtest` does: who is treated when, and what the nodes' recalls say of it."""
