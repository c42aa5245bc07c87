"""What must be so before a rollout goes on."""
