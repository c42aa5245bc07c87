"""The commands under `runbook backup`."""
