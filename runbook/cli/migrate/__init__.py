"""`runbook migrate` in its forms, and `runbook rollback data`."""
