"""Data of a whole fleet, every host on its own."""
