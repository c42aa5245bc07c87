"""Rules, dashboards and examples as the text of their files."""
