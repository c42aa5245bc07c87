"""Archives on this disk: export files, and backups with their verification."""
