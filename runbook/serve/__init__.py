"""`runbook serve`: alerts come in, a read-only console and metrics go out. It changes nothing itself."""
