"""`runbook export`, `import` and `inspect`."""
