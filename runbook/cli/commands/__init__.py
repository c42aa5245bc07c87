"""One file per command, found by walking; the first line of a file is its summary in the help."""
