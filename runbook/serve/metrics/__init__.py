"""What Prometheus is told of this tool: out of the journal, the state folder, and what this process counts."""
