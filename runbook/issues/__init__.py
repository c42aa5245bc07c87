"""One file per known issue: typed data, found by walking."""
