"""One file per command of `runbook rollout`, found by walking: each has a `command`."""
