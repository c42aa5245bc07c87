"""What is done because of alerts: a diagnosis, and what the configuration allows, each by a child process."""
