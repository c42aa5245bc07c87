"""From the rows of the nodes to units, strata, estimates and a verdict: pure, and the same for all who ask."""
