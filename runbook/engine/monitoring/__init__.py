"""Rules for Prometheus out of the very data that the commands ask: issues, plan, contract. Pure."""
