"""The simulated fleet, the usual rules and ours: what `benchmarks/judges.py` compares."""
