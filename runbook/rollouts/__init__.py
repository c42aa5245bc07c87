"""One file per rollout plan: typed data, found by walking."""
