"""Nodes and a load generator as background processes: started, watched, broken on purpose, and ended."""
