"""The embedded Engram node: a real dual memory behind HTTP, for laptops, drills and tests."""
